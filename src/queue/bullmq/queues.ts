/**
 * The queues: one BullMQ queue per subscriber, so that a bad subscriber affects no
 * other.
 *
 * A job's id is `<eventId>-<generation>`, and a job holds nothing else: each
 * attempt reads the event, the destination and the policy from the record and the
 * running configuration. Only this folder knows BullMQ.
 */
import { Queue } from 'bullmq'
import { jobIdOf } from '../../model/delivery.js'
import type { Report } from '../../model/fact.js'
import type { Keys } from '../../redis/keys.js'
import { loadScript, runScript, type RedisClient } from '../../redis/script.js'
import { templateOf, type JobTemplate } from './job-scripts.js'

const WAKE = loadScript(new URL('./wake.lua', import.meta.url))

const COUNT = loadScript(new URL('./count.lua', import.meta.url))

const CLEAR_LINE = loadScript(new URL('./clear-line.lua', import.meta.url))
/** Jobs per step: a millisecond of Redis's time. */
const CLEAR_STEP = 1_000

const MAKE_DUE = loadScript(new URL('./make-due.lua', import.meta.url))

/** At one moment: how many jobs a queue has in all lines, how many of them wait, and how many deliveries its subscriber is owed. */
export interface JobCounts { jobs: number, waiting: number, open: number }

export interface QueuesOptions {
  /** A connection that waits until Redis is back. */
  redis: RedisClient
  keys: Keys
  report: Report
}

export interface Queues {
  /** What a script needs to add jobs to these queues (see `addingJobs`). Does not wait for Redis. */
  templatesOf (subscribers: Iterable<string>): Record<string, JobTemplate>
  /** Makes the workers of a subscriber ask for jobs now, because a hold or a limit has ended. */
  wake (subscriber: string): Promise<void>
  /** Makes delayed jobs due now; jobs in any other state are put in line too. */
  makeDue (subscriber: string, jobs: ReadonlyArray<{ eventId: string, generation: number }>): Promise<void>
  count (subscriber: string): Promise<JobCounts>
  /** Drops the waiting line of a subscriber that is owed nothing. In steps; the queue stays consistent between them. */
  clearLine (subscriber: string): Promise<void>
  /** Every key that the queue of a subscriber may have, but for those of its jobs. Never waits for Redis. */
  keysOf (subscriber: string): string[]
  /** Takes away the line of jobs that wait, to be made anew. */
  emptyLine (subscriber: string): Promise<void>
  close (): Promise<void>
}

/** Opens the queues; each is made when it is first needed. Does not wait for Redis. */
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
    async makeDue (subscriber, jobs) {
      if (jobs.length === 0) return
      const keys = ['delayed', 'wait', 'marker'].map(name => queueOf(subscriber).toKey(name))
      await runScript(options.redis, MAKE_DUE, { keys, args: jobs.map(({ eventId, generation }) => jobIdOf(eventId, generation)) })
    },
    async count (subscriber) {
      const lines = ['wait', 'active', 'delayed'].map(name => queueOf(subscriber).toKey(name))
      const counts = await runScript(options.redis, COUNT, { keys: [options.keys.open(subscriber), ...lines], args: [] })
      const [open, waiting, active, delayed] = counts as [number, number, number, number]
      return { jobs: waiting + active + delayed, waiting, open }
    },
    async clearLine (subscriber) {
      const queue = queueOf(subscriber)
      const line = { keys: [options.keys.open(subscriber), queue.toKey('wait')], args: [queue.toKey(''), CLEAR_STEP] }
      while (await runScript(options.redis, CLEAR_LINE, line) === CLEAR_STEP);
    },
    keysOf (subscriber) {
      const queue = queueOf(subscriber)
      return Object.keys(queue.keys).filter(name => name !== '').map(name => queue.toKey(name))
    },
    async emptyLine (subscriber) {
      await options.redis.unlink(queueOf(subscriber).toKey('wait'))
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
    skipMetasUpdate: true
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
