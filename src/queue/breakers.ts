/**
 * Advances breakers and throttles with time, and wakes the queues of subscribers
 * that are released.
 *
 * Runs on every replica that delivers; one of them makes each change.
 */
import type { Report } from '../model/fact.js'
import type { Subscriber } from '../model/subscriber.js'
import { repeat, type Repeated } from '../time/repeat.js'
import type { Queues } from './bullmq/queues.js'

/** Between two ticks, milliseconds. */
const TICK_EVERY_MS = 500

export interface BreakersOptions {
  /** Reads the running configuration. */
  subscribers: () => readonly Subscriber[]
  queues: Pick<Queues, 'wake'>
  /** Advances them in the record; returns the changes. */
  step: (subscribers: ReadonlyArray<{ name: string, hasBreaker: boolean }>) => Promise<Array<{ subscriber: string, to: 'open' | 'half-open' | 'closing' | 'closed' | 'released' }>>
  report: Report
}

export interface Breakers {
  /** Runs one tick now. */
  tick (): Promise<void>
  start (): void
  /** Does not wait: if a tick is cut off, the next tick on any replica makes up for it. */
  stop (): void
}

/** Makes it; nothing runs before `start` or `tick`. An error of Redis ends a tick; the next tick still runs. */
export function createBreakers ({ subscribers, queues, step, report }: BreakersOptions): Breakers {
  let ticks: Repeated | undefined
  let isStopped = false

  async function tick (): Promise<void> {
    const all = subscribers().map(({ name, breaker }) => ({ name, hasBreaker: breaker !== null }))
    for (const { subscriber, to } of await step(all)) {
      if (to === 'released') report({ fact: 'subscriber.released', subscriber, by: 'throttle' })
      else if (to !== 'closing') report({ fact: 'subscriber.breaker', subscriber, state: to })
      if (to !== 'open') await queues.wake(subscriber)
    }
  }

  return {
    tick,
    start () {
      ticks = repeat(tick, {
        everyMs: () => TICK_EVERY_MS,
        failed (error) { if (!isStopped) report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) }) }
      })
    },
    stop () {
      isStopped = true
      void ticks?.stop()
    }
  }
}
