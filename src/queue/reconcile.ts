/**
 * Mends the queue from the record: every open delivery has a job.
 *
 * One round takes at most a few milliseconds of Redis per subscriber. All of a
 * subscriber's open deliveries are looked at in every round while they are few,
 * and when there are fewer jobs than open deliveries. Else a round looks at the
 * next few thousand, because jobs of deliveries that are over may make up for
 * some that are missing: of ten thousand, each is looked at every eight seconds.
 */
import type { Report } from '../model/fact.js'
import type { Keys } from '../redis/keys.js'
import { loadScript, runPackedScript, type RedisClient } from '../redis/script.js'
import { repeat, type Repeated } from '../time/repeat.js'
import { addingJobs } from './bullmq/job-scripts.js'
import type { Queues } from './bullmq/queues.js'

const MEND = addingJobs(loadScript(new URL('./mend.lua', import.meta.url)))

/** Deliveries that one script looks at. */
const STEP = 2_500
/** Up to here a round looks at every open delivery. */
const SMALL = STEP
/** Time between two rounds: with the promise of ten seconds, several tries. */
const ROUND_MS = 2_000

export interface ReconcileOptions {
  redis: RedisClient
  keys: Keys
  queues: Queues
  /** Every subscriber that the record knows. */
  subscribers: () => Promise<readonly string[]>
  report: Report
  /** Open deliveries of a subscriber up to which every round looks at all of them; {@link SMALL}. */
  small?: number
  /** Open deliveries that one script looks at; {@link STEP}. */
  step?: number
}

export interface Reconciler {
  /** One round, now. Resolves with the number of jobs that were missing. */
  round (): Promise<number>
  start (): void
  stop (): Promise<void>
}

/** Makes a reconciler; nothing runs before `start` or `round`. Errors of Redis end a round, never the reconciler. */
export function createReconciler (options: ReconcileOptions): Reconciler {
  let rounds: Repeated | undefined
  let stopped = false
  /** Where the next look at a long queue begins, by subscriber. */
  const positions: Positions = new Map()

  function trouble (subscriber: string | null, error: unknown): void {
    options.report({ fact: 'queue.trouble', subscriber, error: error instanceof Error ? error.message : String(error) })
  }

  /** What is wrong with one queue keeps no other from being mended. */
  async function round (): Promise<number> {
    let added = 0
    for (const subscriber of await options.subscribers()) {
      if (stopped) break
      try {
        added += await mendQueue(options, subscriber, positions)
      } catch (error) {
        trouble(subscriber, error)
      }
    }
    return added
  }

  return {
    round,
    start () { rounds = repeat(round, { everyMs: () => ROUND_MS, failed (error) { trouble(null, error) } }) },
    async stop () {
      stopped = true
      await rounds?.stop()
    }
  }
}

type Positions = Map<string, string>

async function mendQueue (options: ReconcileOptions, subscriber: string, positions: Positions): Promise<number> {
  const { queues, small = SMALL } = options
  const { open, jobs } = await queues.count(subscriber)
  if (open === 0) return 0
  const whole = open <= small || jobs < open
  let added = 0
  let cursor = whole ? '' : positions.get(subscriber) ?? ''
  for (;;) {
    const [next, mended] = await mend(options, subscriber, cursor === '' ? '0' : cursor)
    added += mended
    cursor = next
    if (!whole || cursor === '') break
  }
  positions.set(subscriber, cursor)
  if (added > 0) options.report({ fact: 'queue.reconciled', subscriber, added })
  return added
}

/** Where to go on, `''` at the end, and how many jobs were added. */
async function mend (
  { redis, keys, queues, step = STEP }: ReconcileOptions, subscriber: string, cursor: string
): Promise<[next: string, added: number]> {
  const { output } = await runPackedScript(redis, MEND, {
    key: keys.open(subscriber),
    input: {
      prefix: `{${keys.prefix}}:`, subscriber, template: queues.templatesOf([subscriber])[subscriber], cursor, count: step
    }
  })
  return output as [string, number]
}
