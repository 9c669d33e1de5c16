/**
 * The queues: one BullMQ queue per subscriber, so that one bad subscriber
 * hurts nobody else.
 *
 * A job's id is `<eventId>-<generation>` and it holds nothing else: what is to
 * be sent, where and how is read from the record and the running configuration
 * at each attempt. This folder is the only one that knows BullMQ.
 */
import { Queue, createIORedisClient, type IRedisClient } from 'bullmq'
import { jobIdOf } from '../model/delivery.js'
import type { Report } from '../model/fact.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Keys } from '../redis/keys.js'
import type { RedisClient } from '../redis/script.js'
import { openTransaction, type Transaction } from './transaction.js'

/** BullMQ keeps a stream of what happens in each queue; nobody reads ours. */
const STREAM_MAX_EVENTS = 10

/** No limit of its own; but without one BullMQ would ignore a subscriber's wish for quiet. */
const NO_LIMIT = { max: Number.MAX_SAFE_INTEGER, perMs: 1_000 }

export interface QueuesOptions {
  /** For transactions: fails fast, because accepting must not wait for a dead Redis. */
  hasty: RedisClient
  /** For everything else: waits until Redis is back. */
  patient: RedisClient
  keys: Keys
  report: Report
}

export interface Queues {
  /** Opens a transaction that scripts and jobs can be added to. */
  begin (): Promise<Transaction>
  /** Holds back (or lets go) the jobs of one subscriber, on every replica. Idempotent. */
  setPaused (subscriber: string, paused: boolean): Promise<void>
  /** Makes the limits of one subscriber known to every replica. Idempotent. */
  setLimits (subscriber: Pick<Subscriber, 'name' | 'concurrency' | 'rateLimit'>): Promise<void>
  /** Starts no delivery of one subscriber for so many milliseconds, on every replica; a longer wish that is in force stays. */
  keepQuiet (subscriber: string, quietMs: number): Promise<void>
  /** Removes jobs that nobody needs; one in flight stays, and finishes unsent or stale. */
  removeJobs (subscriber: string, eventIds: ReadonlyArray<{ eventId: string, generation: number }>): Promise<void>
  /** Makes a job that waits for its time due now; nothing happens when it does not wait. */
  promote (subscriber: string, eventId: string, generation: number): Promise<void>
  /** How many jobs a queue has, in any state. */
  countJobs (subscriber: string): Promise<number>
  close (): Promise<void>
}

/** Opens the queues; each is made when it is first needed. Never waits for Redis. */
export function createQueues ({ hasty, patient, keys, report }: QueuesOptions): Queues {
  const queues = new Map<string, Queue>()

  function queueOf (subscriber: string): Queue {
    let queue = queues.get(subscriber)
    if (queue === undefined) {
      queue = new Queue(subscriber, {
        connection: patient,
        prefix: keys.queuePrefix,
        skipWaitingForReady: true,
        streams: { events: { maxLen: STREAM_MAX_EVENTS } }
      })
      queue.on('error', error => { report({ fact: 'queue.trouble', subscriber, error: error.message }) })
      queues.set(subscriber, queue)
      shareScripts(patient, hasty)
    }
    return queue
  }

  return {
    async begin () {
      const client: IRedisClient = createIORedisClient(hasty)
      return openTransaction({ client: hasty, multi: () => client.multi(), queueOf })
    },
    async setPaused (subscriber, paused) {
      const queue = queueOf(subscriber)
      if (await queue.isPaused() === paused) return
      await (paused ? queue.pause() : queue.resume())
    },
    async setLimits (limits) { await limit(queueOf(limits.name), limits) },
    async keepQuiet (subscriber, quietMs) {
      const queue = queueOf(subscriber)
      if (await queue.getRateLimitTtl() < quietMs) await queue.rateLimit(Math.ceil(quietMs))
    },
    async removeJobs (subscriber, jobs) {
      await Promise.all(jobs.map(async ({ eventId, generation }) => await queueOf(subscriber).remove(jobIdOf(eventId, generation))))
    },
    async promote (subscriber, eventId, generation) {
      const job = await queueOf(subscriber).getJob(jobIdOf(eventId, generation))
      await job?.promote().catch(() => {}) // it was not delayed any more: due already
    },
    async countJobs (subscriber) {
      const counts = await queueOf(subscriber).getJobCounts('wait', 'active', 'delayed', 'prioritized')
      return Object.values(counts).reduce((sum, count) => sum + count, 0)
    },
    async close () {
      await Promise.all([...queues.values()].map(async queue => { await queue.close() }))
    }
  }
}

/** Of BullMQ's scripts, the one that a transaction runs. ioredis copies all that a client has onto each MULTI: few are cheap. */
const ADD_JOB = /^addStandardJob:/

/** BullMQ defines its scripts on the client it is given; transactions run theirs on the other. */
function shareScripts (from: RedisClient, to: RedisClient): void {
  const scripts = Object.entries(from.scriptsSet) as Array<[string, { lua: string, numberOfKeys: number | null }]>
  for (const [name, { lua, numberOfKeys }] of scripts) {
    if (!ADD_JOB.test(name) || name in to.scriptsSet) continue
    to.defineCommand(name, { lua, ...(numberOfKeys === null ? {} : { numberOfKeys }) })
  }
}

/** Limits are the queue's, not a worker's: so they hold over all replicas. */
async function limit (queue: Queue, { concurrency, rateLimit }: Pick<Subscriber, 'concurrency' | 'rateLimit'>): Promise<void> {
  const { max, perMs } = rateLimit ?? NO_LIMIT
  await queue.setGlobalConcurrency(concurrency)
  await queue.setGlobalRateLimit(max, perMs)
}
