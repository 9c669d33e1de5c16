/**
 * Moves breakers on with time, and makes the queues follow: whoever is tried
 * gets one delivery at a time, and then slowly more.
 *
 * Runs on every replica that delivers; each change is made by one of them.
 */
import { limitsDuring, type Trial } from '../model/breaker.js'
import type { Report } from '../model/fact.js'
import type { Subscriber } from '../model/subscriber.js'
import { repeat, type Repeated } from '../time/repeat.js'
import type { Queues } from './bullmq/queues.js'

/** Between two ticks, milliseconds. */
const TICK_EVERY_MS = 500

export interface BreakersOptions {
  /** Of the running configuration. */
  subscribers: () => readonly Subscriber[]
  queues: Queues
  /** Moves them on in the record; returns what has changed. */
  step: (subscribers: ReadonlyArray<{ name: string, hasBreaker: boolean }>) => Promise<Array<{ subscriber: string, to: 'open' | 'half-open' | 'closing' | 'closed' }>>
  trialOf: (subscriber: string) => Promise<Trial | null>
  /** Whether anything else holds it. */
  isHeld: (subscriber: string) => Promise<boolean>
  report: Report
}

export interface Breakers {
  /** Makes the limits of one subscriber known to every replica, as they are now. */
  limit (subscriber: Subscriber): Promise<void>
  /** One tick, now. */
  tick (): Promise<void>
  start (): void
  /** Waits for nothing: a tick that is cut off is made up for by the next, on any replica. */
  stop (): void
}

/** Makes it; nothing runs before `start` or `tick`. Errors of Redis end a tick, and the next one comes all the same. */
export function createBreakers (options: BreakersOptions): Breakers {
  const { subscribers, queues, step, trialOf, isHeld, report } = options
  let ticks: Repeated | undefined
  let isStopped = false

  async function limit (subscriber: Subscriber): Promise<void> {
    await queues.setLimits({ name: subscriber.name, ...limitsDuring(await trialOf(subscriber.name), subscriber) })
  }

  async function tick (): Promise<void> {
    const all = subscribers()
    for (const { subscriber: name, to } of await step(all.map(({ name, breaker }) => ({ name, hasBreaker: breaker !== null })))) {
      if (to !== 'closing') report({ fact: 'subscriber.breaker', subscriber: name, state: to })
      // The limits first: nothing may get through that is not meant to.
      await limit(all.find(subscriber => subscriber.name === name)!)
      await queues.setPaused(name, await isHeld(name))
    }
  }

  return {
    limit,
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
