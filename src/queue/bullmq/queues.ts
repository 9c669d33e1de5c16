/**
 * The queues: one BullMQ queue per subscriber, so that one bad subscriber
 * hurts nobody else.
 *
 * A job's id is `<eventId>-<generation>` and it holds nothing else: what is to
 * be sent, where and how is read from the record and the running configuration
 * at each attempt. This folder is the only one that knows BullMQ.
 */
import { Queue } from 'bullmq'
import { jobIdOf } from '../../model/delivery.js'
import type { Report } from '../../model/fact.js'
import type { Keys } from '../../redis/keys.js'
import { loadScript, runScript, type RedisClient } from '../../redis/script.js'
import { templateOf, type JobTemplate } from './job-scripts.js'

const WAKE = loadScript(new URL('./wake.lua', import.meta.url))
const CLEAR_LINE = loadScript(new URL('./clear-line.lua', import.meta.url))
/** Jobs of one step: a millisecond of Redis's time. */
const CLEAR_STEP = 1_000

/** BullMQ keeps a stream of what happens in each queue; nobody reads ours. */
const STREAM_MAX_EVENTS = 10

export interface QueuesOptions {
  /** Waits until Redis is back. */
  redis: RedisClient
  keys: Keys
  report: Report
}

export interface Queues {
  /** What a script needs to add jobs to these queues (see `addingJobs`). Never waits for Redis. */
  templatesOf (subscribers: Iterable<string>): Record<string, JobTemplate>
  /** Has the workers of a subscriber look for jobs now: a hold of it is over, or a limit is. */
  wake (subscriber: string): Promise<void>
  /** Drops what waits in the line of a subscriber, unless anything is owed to it. In steps; whatever is in between stays true. */
  clearLine (subscriber: string): Promise<void>
  /** Makes a job that waits for its time due now; nothing happens when it does not wait. */
  promote (subscriber: string, eventId: string, generation: number): Promise<void>
  /** How many jobs a queue has, in any state, and how many deliveries its subscriber is owed, at the same moment. */
  count (subscriber: string): Promise<{ jobs: number, open: number }>
  close (): Promise<void>
}

/** Opens the queues; each is made when it is first needed. Never waits for Redis. */
export function createQueues (options: QueuesOptions): Queues {
  const queues = new Map<string, Queue>()
  const templates = new Map<string, JobTemplate>()
  const queueOf = (name: string): Queue => remembered(queues, name, () => openQueue(name, options))
  const templateFor = (name: string): JobTemplate => remembered(templates, name, () => templateOf(queueOf(name)))

  return {
    templatesOf (subscribers) {
      return Object.fromEntries([...subscribers].map(name => [name, templateFor(name)]))
    },
    async wake (subscriber) {
      await runScript(options.redis, WAKE, { keys: [queueOf(subscriber).toKey('marker')], args: [] })
    },
    async clearLine (subscriber) {
      const queue = queueOf(subscriber)
      const line = { keys: [options.keys.open(subscriber), queue.toKey('wait')], args: [queue.toKey(''), CLEAR_STEP] }
      while (await runScript(options.redis, CLEAR_LINE, line) === CLEAR_STEP);
    },
    async promote (subscriber, eventId, generation) {
      const job = await queueOf(subscriber).getJob(jobIdOf(eventId, generation))
      await job?.promote().catch(() => {}) // it was not delayed any more: due already
    },
    async count (subscriber) {
      // One after the other they would differ by what has been delivered in between.
      const queue = queueOf(subscriber)
      const counting = options.redis.multi().zcard(options.keys.open(subscriber))
      for (const list of ['wait', 'paused', 'active']) counting.llen(queue.toKey(list))
      for (const set of ['delayed', 'prioritized']) counting.zcard(queue.toKey(set))
      const [open, ...jobs] = (await counting.exec())!.map(([error, count]) => {
        if (error !== null) throw error
        return count as number
      })
      return { jobs: jobs.reduce((sum, count) => sum + count, 0), open: open! }
    },
    async close () {
      await Promise.all([...queues.values()].map(async queue => { await queue.close() }))
    }
  }
}

function openQueue (subscriber: string, { redis, keys, report }: QueuesOptions): Queue {
  const queue = new Queue(subscriber, {
    connection: redis,
    prefix: keys.queuePrefix,
    skipWaitingForReady: true,
    streams: { events: { maxLen: STREAM_MAX_EVENTS } }
  })
  queue.on('error', error => { report({ fact: 'queue.trouble', subscriber, error: error.message }) })
  return queue
}

function remembered<Value> (map: Map<string, Value>, name: string, make: () => Value): Value {
  const known = map.get(name)
  if (known !== undefined) return known
  const made = make()
  map.set(name, made)
  return made
}
