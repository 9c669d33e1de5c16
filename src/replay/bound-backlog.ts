/**
 * Bounds what waits for a subscriber, where its configuration says so
 * (`maxBacklog`): the oldest deliveries beyond it are given up as failed, with
 * the reason `backlog`, and can be replayed as any other. The newest stay, and
 * never is one given up whose attempt is under way.
 */
import type { Report } from '../model/fact.js'
import type { FailReason } from '../model/outcome.js'
import type { Subscriber } from '../model/subscriber.js'
import { loadRecordScript } from '../record/lua.js'
import type { RecordStore } from '../record/store.js'
import { runPackedScript } from '../redis/script.js'

const FAIL_OLDEST = loadRecordScript(new URL('./fail-oldest.lua', import.meta.url))

/** Deliveries that one script fails: a few milliseconds of Redis's time. */
const STEP = 200
/** A round of one subscriber ends after so many steps; the next goes on. */
const MOST_STEPS = 50
/** What was given up is told no more often than this, of each subscriber, milliseconds. */
const TELL_EVERY_MS = 60_000

/** Why these deliveries fail. */
const REASON: FailReason = 'backlog'

/** A subscriber whose backlog is bounded, or is not: `null`. */
export type BoundedSubscriber = Pick<Subscriber, 'name' | 'maxBacklog'>

export interface BoundBacklogOptions {
  store: RecordStore
  report: Report
  /** Asked between two steps; always, when left out. */
  mayGoOn?: () => boolean
  /** Monotonic, milliseconds. */
  clock?: () => number
}

/** One round. @returns how many deliveries were given up; @throws what ioredis throws */
export type BoundBacklogs = (subscribers: readonly BoundedSubscriber[]) => Promise<number>

/** Makes what bounds them; it tells what it gave up, of each subscriber once a minute. */
export function createBoundBacklogs ({ store, report, mayGoOn = () => true, clock = () => performance.now() }: BoundBacklogOptions): BoundBacklogs {
  /** By subscriber. */
  const untold = new Map<string, number>()
  const toldAt = new Map<string, number>()

  async function bound (subscriber: string, most: number): Promise<number> {
    let sum = 0
    for (let steps = 0; steps < MOST_STEPS && mayGoOn(); steps++) {
      const failed = await failOldest(store, { subscriber, most, count: STEP })
      untold.set(subscriber, (untold.get(subscriber) ?? 0) + failed)
      sum += failed
      if (failed < STEP) break
    }
    return sum
  }

  function tell (): void {
    for (const [subscriber, deliveries] of untold) {
      if (deliveries === 0 || clock() - (toldAt.get(subscriber) ?? -Infinity) < TELL_EVERY_MS) continue
      report({ fact: 'backlog.failed', subscriber, deliveries, reason: REASON })
      untold.delete(subscriber)
      toldAt.set(subscriber, clock())
    }
  }

  return async subscribers => {
    let sum = 0
    try {
      for (const { name, maxBacklog } of subscribers) {
        if (maxBacklog !== null) sum += await bound(name, maxBacklog)
      }
    } finally {
      tell()
    }
    return sum
  }
}

/**
 * Fails the oldest deliveries of a subscriber beyond `most`, in one atomic step.
 *
 * @param count  how many at most
 * @returns      how many
 * @throws       what ioredis throws
 */
async function failOldest ({ redis, keys }: RecordStore, { subscriber, most, count }: { subscriber: string, most: number, count: number }): Promise<number> {
  const { output } = await runPackedScript(redis, FAIL_OLDEST, {
    key: keys.events,
    input: { prefix: `{${keys.prefix}}:`, queues: keys.queuePrefix, subscriber, most, count }
  })
  return output as number
}
