/**
 * Takes jobs from one subscriber's queue, hands them to `deliver`, and carries
 * out its verdict.
 *
 *   job ──▶ deliver ──▶ Verdict: done | again | give back
 *
 * BullMQ's own counting of attempts, backoff and failures is not used: the
 * record decides. So a job only finishes, waits for its time, or goes back.
 * After a crash, another worker takes the job within ten seconds; a crash never
 * fails a job.
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

/** How often to check for jobs whose lock has expired, milliseconds. */
export const STALLED_CHECK_MS = 2_000
/** A crash is no reason to fail a delivery, however often it happens. */
const MAX_CRASHES_PER_JOB = 1_000_000_000
/** Wait after an error of Redis, milliseconds. */
const RETRY_AFTER_ERROR_MS = 500
/** Wait after an internal error, so that a bug does not cause a busy loop, milliseconds. */
const RETRY_AFTER_SURPRISE_MS = 1_000
/** How long attempts that were cut off may take to give their jobs back, milliseconds. */
export const GIVE_BACK_MS = 1_000
/** How long a worker may sleep because of a rate limit before it asks again, milliseconds. */
const MAX_LIMIT_SLEEP_MS = 1_000

/** Makes one attempt, or says why it made none. */
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
  /** Whether the connection on which it waits for jobs is ready. */
  isConnected (): boolean
  /** When it last moved a job or asked for one, by `performance.now()`; `-Infinity` if never. */
  movedAt (): number
  setConcurrency (concurrency: number): void
  /**
   * Takes no more jobs. Attempts in flight have `graceMs`, then they are cut off
   * and their jobs go back to the front of the queue. Without Redis the jobs
   * cannot go back: the stop then ends a second later, and another worker runs them.
   */
  stop (graceMs: number): Promise<void>
  /** Takes no more jobs and lets go of those in flight, which run again when their locks expire. Does not wait. */
  abandon (): void
}

/** A job of BullMQ with its delivery. */
type DeliveryJob = Job & TakenJobData

/** BullMQ's worker, which also passes on the delivery of a job. */
class JobWorker extends Worker {
  protected override createJob (data: Parameters<Worker['createJob']>[0], jobId: string): Job {
    return Object.assign(super.createJob(data, jobId), { opened: (data as unknown as TakenJobData).opened })
  }
}

/** Starts to take jobs as soon as Redis answers; waits for it without a limit. */
export function startWorker (options: WorkerOptions): DeliveryWorker {
  const { subscriber, batches, report } = options
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal) // every delivery in flight listens
  /** Verdicts whose results are not on record yet, by job: if such a job comes again, it is not sent again. */
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
      endConnection(worker).catch(() => {}) // no caller waits for it
    },
    abandon () {
      stopping.abort()
      worker.close(true).catch((error: unknown) => { report({ fact: 'queue.trouble', subscriber, error: String(error) }) })
    }
  }
}

/**
 * While it closes, BullMQ waits for its own connection, without a limit if Redis
 * does not come back. And before that connection was ready once, only this
 * field gives access to it.
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
 * BullMQ expects an error for a job that does not finish but is moved.
 *
 * @returns the result to record when BullMQ finishes the job
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
      // The record does not know the hold yet: at the front of the queue the job would come again at once.
      if (verdict.onHold) {
        await moves.delay(job, RETRY_AFTER_SURPRISE_MS, result)
        throw new DelayedError()
      }
      await moves.giveBack(job, result)
      throw new WaitingError()
  }
}

/** The same error for many jobs is one error, and one line of the log. */
function withoutIds (message: string): string {
  return message.replaceAll(/\bevt_\w+-\d+/g, '…')
}
