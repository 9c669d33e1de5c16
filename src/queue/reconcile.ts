/**
 * Mends the queue from the record: the job of every open delivery is in line,
 * whatever happened to the keys of the queue.
 *
 * While few deliveries of a subscriber are open, each is looked for in the
 * lines: at once when there are fewer jobs than open deliveries, else every
 * few rounds, because jobs of deliveries that are over may make up for some
 * that are missing. Of a long queue a round looks at the next few thousand, and
 * at all of them when jobs are missing, by whether their jobs exist; when all
 * exist and some are in no line, the line is made anew, in the order of the events.
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
/** Up to here each open delivery is looked for in the lines. */
const SMALL = STEP
/** Jobs that may wait for that: reading them is one reply. */
const MOST_READ = 4 * SMALL
/** Time between two rounds: with the promise of ten seconds, several tries. */
const ROUND_MS = 2_000
/** Where nothing of a short queue seems to be missing, one of so many rounds looks all the same. */
const LOOK_EVERY = 4

export interface ReconcileOptions {
  redis: RedisClient
  keys: Keys
  queues: Queues
  /** Every subscriber that the record knows. */
  subscribers: () => Promise<readonly string[]>
  report: Report
  /** Open deliveries of a subscriber up to which each is looked for; {@link SMALL}. */
  small?: number
  /** Open deliveries that one script looks at; {@link STEP}. */
  step?: number
}

export interface Reconciler {
  /** One round, now. Resolves with the number of jobs that were put in line. */
  round (): Promise<number>
  start (): void
  stop (): Promise<void>
}

/** What is remembered between two rounds. */
interface Memory {
  /** Where the next look at a long queue begins, by subscriber. */
  positions: Map<string, string>
  /** Subscribers with a long queue whose jobs all exist, and of which some are in no line. */
  suspects: Set<string>
}

/** Makes a reconciler; nothing runs before `start` or `round`. Errors of Redis end a round, never the reconciler. */
export function createReconciler (options: ReconcileOptions): Reconciler {
  let rounds: Repeated | undefined
  let stopped = false
  let count = 0
  const memory: Memory = { positions: new Map(), suspects: new Set() }

  function trouble (subscriber: string | null, error: unknown): void {
    options.report({ fact: 'queue.trouble', subscriber, error: error instanceof Error ? error.message : String(error) })
  }

  /** What is wrong with one queue keeps no other from being mended. */
  async function round (): Promise<number> {
    let sum = 0
    const looks = count++ % LOOK_EVERY === 0
    for (const subscriber of await options.subscribers()) {
      if (stopped) break
      try {
        const added = await mendQueue(options, subscriber, { looks, memory })
        if (added > 0) options.report({ fact: 'queue.reconciled', subscriber, added })
        sum += added
      } catch (error) {
        trouble(subscriber, error)
      }
    }
    return sum
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

async function mendQueue (options: ReconcileOptions, subscriber: string, { looks, memory }: { looks: boolean, memory: Memory }): Promise<number> {
  const { queues, small = SMALL } = options
  const { open, jobs, waiting } = await queues.count(subscriber)
  if (open === 0) return 0
  const isMissing = jobs < open
  if (open <= small && waiting <= MOST_READ) return isMissing || looks ? await walk(options, subscriber, 'read') : 0
  if (!isMissing) {
    const [next, added] = await mend(options, subscriber, { cursor: memory.positions.get(subscriber) ?? '0', line: 'known' })
    memory.positions.set(subscriber, next === '' ? '0' : next)
    memory.suspects.delete(subscriber)
    return added
  }
  const added = await walk(options, subscriber, 'known')
  if (added > 0 || !memory.suspects.delete(subscriber)) {
    if (added === 0) memory.suspects.add(subscriber)
    return added
  }
  await queues.emptyLine(subscriber)
  await walk(options, subscriber, 'new')
  return open - jobs
}

/** Looks at every open delivery. */
async function walk (options: ReconcileOptions, subscriber: string, line: LineToRead): Promise<number> {
  let [cursor, sum] = ['0', 0]
  while (cursor !== '') {
    const [next, added] = await mend(options, subscriber, { cursor, line })
    sum += added
    cursor = next
  }
  return sum
}

/** Where a job is in line; see mend.lua. */
type LineToRead = 'read' | 'known' | 'new'

/** Where to go on, `''` at the end, and how many jobs were put in line. */
async function mend (
  { redis, keys, queues, step = STEP }: ReconcileOptions, subscriber: string, { cursor, line }: { cursor: string, line: LineToRead }
): Promise<[next: string, added: number]> {
  const { output } = await runPackedScript(redis, MEND, {
    key: keys.open(subscriber),
    input: {
      prefix: `{${keys.prefix}}:`,
      subscriber,
      base: `${keys.queuePrefix}:${subscriber}:`,
      template: queues.templatesOf([subscriber])[subscriber],
      cursor,
      count: step,
      line
    }
  })
  return output as [string, number]
}
