/**
 * Moves breakers and throttlings on with time, and wakes the queues of those
 * whom it lets go.
 *
 * Runs on every replica that delivers; each change is made by one of them.
 */
import type { Report } from '../model/fact.js'
import type { Subscriber } from '../model/subscriber.js'
import { repeat, type Repeated } from '../time/repeat.js'
import type { Queues } from './bullmq/queues.js'

/** Between two ticks, milliseconds. */
const TICK_EVERY_MS = 500

export interface BreakersOptions {
  /** Of the running configuration. */
  subscribers: () => readonly Subscriber[]
  queues: Pick<Queues, 'wake'>
  /** Moves them on in the record; returns what has changed. */
  step: (subscribers: ReadonlyArray<{ name: string, hasBreaker: boolean }>) => Promise<Array<{ subscriber: string, to: 'open' | 'half-open' | 'closing' | 'closed' | 'released' }>>
  report: Report
}

export interface Breakers {
  /** One tick, now. */
  tick (): Promise<void>
  start (): void
  /** Waits for nothing: a tick that is cut off is made up for by the next, on any replica. */
  stop (): void
}

/** Makes it; nothing runs before `start` or `tick`. Errors of Redis end a tick, and the next one comes all the same. */
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
