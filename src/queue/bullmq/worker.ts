/**
 * Takes jobs from one subscriber's queue, hands them to `deliver`, and obeys
 * what it says.
 *
 *   job ──▶ deliver ──▶ Verdict: done | again | give back
 *
 * BullMQ's own counting of attempts, backoff and failures is not used: the
 * record decides, so a job only ever finishes, waits for its time, or goes
 * back. A crash gives the job to somebody else within ten seconds and never
 * fails it.
 */
import { setMaxListeners } from 'node:events'
import { DelayedError, WaitingError, Worker, type Job } from 'bullmq'
import { jobIdOf } from '../../model/delivery.js'
import type { Report } from '../../model/fact.js'
import type { AttemptResult, OpenedDelivery, Verdict } from '../../model/work.js'
import type { Keys } from '../../redis/keys.js'
import { endClient } from '../../redis/end-client.js'
import type { RedisClient } from '../../redis/script.js'
import { within } from '../../time/within.js'
import { createBackend, type TakenJobData } from './backend.js'
import { LOCK_MS, type HeldJob } from './batch-commands.js'
import type { Batches } from './batches.js'
import { createMoves, type JobMoves } from './moves.js'

/** How often is looked for jobs that nobody has locked any more, milliseconds. */
export const STALLED_CHECK_MS = 2_000
/** A crash is no reason to give a delivery up, however often it happens. */
const MAX_CRASHES_PER_JOB = 1_000_000_000
/** After an error of Redis. */
const RETRY_AFTER_ERROR_MS = 500
/** After an error of ours, so that a bug does not spin. */
const RETRY_AFTER_SURPRISE_MS = 1_000
/** How long jobs that were cut off may take to go back, milliseconds. */
export const GIVE_BACK_MS = 1_000
/** How long a worker may sleep because of a rate limit before it looks again. */
const MAX_LIMIT_SLEEP_MS = 1_000

/** Makes one attempt, or says why not. */
export type Deliver = (job: { subscriber: string, jobId: string, opened: OpenedDelivery }, signal: AbortSignal) => Promise<Verdict>

export interface WorkerOptions {
  subscriber: string
  /** Jobs at a time in this process. */
  concurrency: number
  deliver: Deliver
  batches: Batches
  redis: RedisClient
  keys: Keys
  report: Report
}

export interface DeliveryWorker {
  /** Whether the connection on which it waits for jobs is there. */
  isConnected (): boolean
  /** When it last moved a job or asked for one, by `performance.now()`; `-Infinity` when it never did. */
  movedAt (): number
  setConcurrency (concurrency: number): void
  /**
   * Takes no more jobs, gives those in flight until `graceMs` from now, then
   * cuts them off; they go back to the front of the queue. Without Redis they
   * cannot: then it is over a second later, and they run again elsewhere.
   */
  stop (graceMs: number): Promise<void>
  /** Takes no more jobs and lets go of those in flight, which run again when their locks are over. Waits for nothing. */
  abandon (): void
}

/** A job as BullMQ has it, with the delivery that it is for. */
type DeliveryJob = Job & TakenJobData

/** BullMQ's worker, which hands on what a job brings. */
class JobWorker extends Worker {
  protected override createJob (data: Parameters<Worker['createJob']>[0], jobId: string): Job {
    return Object.assign(super.createJob(data, jobId), { opened: (data as unknown as TakenJobData).opened })
  }
}

/** Starts taking jobs, as soon as Redis answers; waits for it as long as it takes. */
export function startWorker (options: WorkerOptions): DeliveryWorker {
  const { subscriber, batches, report } = options
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal) // every delivery in flight listens
  /** Verdicts whose results are not on record yet, by job: a job that comes again meanwhile is not sent again. */
  const inHand = new Map<string, Verdict>()
  const moves = createMoves({
    subscriber, batches, stopping: stopping.signal, recorded ({ eventId, generation }) { inHand.delete(jobIdOf(eventId, generation)) }
  })
  const worker = new JobWorker(subscriber, async (job, token) => {
    const verdict = inHand.get(job.id!) ?? await verdictOf(options, job as DeliveryJob, stopping.signal)
    if (verdict.result !== undefined) inHand.set(job.id!, verdict)
    return await obey({ moves, job: { id: job.id!, token: token! } }, verdict)
  }, {
    connection: options.redis,
    prefix: options.keys.queuePrefix,
    concurrency: options.concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: MAX_CRASHES_PER_JOB,
    runRetryDelay: RETRY_AFTER_ERROR_MS,
    maximumRateLimitDelay: MAX_LIMIT_SLEEP_MS,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 }
  }, (...its) => createBackend(its, options.redis, moves))
  worker.on('error', error => { report({ fact: 'queue.trouble', subscriber, error: withoutIds(error.message) }) })

  return {
    isConnected: () => connectionOf(worker)?.status === 'ready',
    movedAt: moves.movedAt,
    setConcurrency (concurrency) { worker.concurrency = concurrency },
    async stop (graceMs) {
      const cutOff = setTimeout(() => { stopping.abort() }, graceMs)
      if (graceMs <= 0) stopping.abort()
      await within(graceMs + GIVE_BACK_MS, worker.close(), () => {})
      clearTimeout(cutOff)
      endConnection(worker).catch(() => {}) // nothing waits for it
    },
    abandon () {
      stopping.abort()
      worker.close(true).catch((error: unknown) => { report({ fact: 'queue.trouble', subscriber, error: String(error) }) })
    }
  }
}

/**
 * BullMQ waits for its own connection while it closes, for ever when Redis does
 * not come back; and before that connection was ready once, only its field
 * leads to it.
 */
async function endConnection (worker: Worker): Promise<void> {
  const connection = connectionOf(worker)
  if (connection !== undefined) await endClient(connection)
}

/** The connection on which it waits for jobs. */
function connectionOf (worker: Worker): RedisClient | undefined {
  return (worker.backend.blockingConnection as unknown as { _client?: RedisClient } | undefined)?._client
}

async function verdictOf ({ subscriber, deliver, report }: WorkerOptions, { id, opened }: DeliveryJob, stopping: AbortSignal): Promise<Verdict> {
  try {
    return await deliver({ subscriber, jobId: id!, opened }, stopping)
  } catch (error) {
    report({ fact: 'queue.trouble', subscriber, error: error instanceof Error ? error.message : String(error) })
    return { kind: 'again', afterMs: RETRY_AFTER_SURPRISE_MS }
  }
}

interface Task { moves: JobMoves, job: HeldJob }

/**
 * Errors are how BullMQ is told that a job did not finish but went elsewhere.
 *
 * @returns what goes on record when BullMQ finishes the job
 */
async function obey ({ moves, job }: Task, verdict: Verdict): Promise<AttemptResult | undefined> {
  const { result } = verdict
  switch (verdict.kind) {
    case 'done':
      return result
    case 'again':
      await moves.delay(job, verdict.afterMs, result)
      throw new DelayedError()
    case 'give-back':
      // The record does not know of the hold yet: at the front of the queue it would come again at once.
      if (verdict.onHold) {
        await moves.delay(job, RETRY_AFTER_SURPRISE_MS, result)
        throw new DelayedError()
      }
      await moves.giveBack(job, result)
      throw new WaitingError()
  }
}

/** The same trouble of many jobs is one trouble, and one line of the log. */
function withoutIds (message: string): string {
  return message.replaceAll(/\bevt_\w+-\d+/g, '…')
}
