/**
 * How the jobs of one subscriber move, in four verbs: take, finish, delay and
 * give back. A job that is taken brings the delivery that it is for; whoever
 * ends an attempt hands its result over with the job, and both are written in
 * one step. A result is never given up while this process lives: a move that
 * Redis refuses for now is made again until it is on record.
 *
 * What each move does to the queue is BullMQ's; that moves go to Redis in
 * batches is known here and in `batches.ts`, and nowhere else.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { RedisQueueBackend } from 'bullmq'
import { isRedisAway } from '../../model/redis-away.js'
import type { AttemptResult, OpenedDelivery } from '../../model/work.js'
import type { Batches, Move, Moved } from './batches.js'
import { JOB_NAME } from './job-scripts.js'

/**
 * Of so many jobs of a queue that finish, one hands its place on to whoever
 * waits longest, on any replica. Else the replica that was first would keep all
 * places of a busy subscriber for as long as jobs wait.
 */
const HANDS_ON_EVERY = 64
/** Before a move with a result is made again, milliseconds. */
const AGAIN_AFTER_MS = 250

/** A job that this worker holds. */
export interface HeldJob {
  id: string
  /** Of its lock. */
  token: string
}

/** The next job in the form in which BullMQ reads it, its id, and how long to wait for the rate limit or a due job, milliseconds. */
export type NextJob = [data: TakenJobData | null | undefined, jobId: string | number | undefined, limitMs?: number, untilMs?: number]

/** BullMQ's data of a job, and what it is for. */
export interface TakenJobData { opened: OpenedDelivery }

export interface JobMoves {
  /** @param token  for its lock */
  take (token: string, worker?: string): Promise<NextJob>
  /** The delivery is no longer open under this job. @returns the next one, when it is wanted and there is one */
  finish (job: HeldJob, result: AttemptResult | undefined, wantsNext: boolean): Promise<NextJob | []>
  /** Not before this time, epoch milliseconds. */
  delay (job: HeldJob, untilMs: number, result: AttemptResult | undefined): Promise<void>
  /** Back to the front of the queue. */
  giveBack (job: HeldJob, result: AttemptResult | undefined): Promise<void>
  /** When a job was last moved or asked for, by `performance.now()`; `-Infinity` when none was. */
  movedAt (): number
}

export interface MovesOptions {
  subscriber: string
  batches: Batches
  /** Aborted when there is no more time: then a result that Redis does not take is lost. */
  stopping?: AbortSignal
  /** Called when a result is on record. */
  recorded?: (result: AttemptResult) => void
}

/** Makes the moves of one subscriber, and has BullMQ's worker take and finish jobs by them. */
export function movesOf (backend: RedisQueueBackend, options: MovesOptions): JobMoves {
  const { subscriber } = options
  const { moveToActive, moveToDelayed, moveJobFromActiveToWait } = backend
  let movedAt = -Infinity
  let finished = 0

  const run: Batches['run'] = async move => await untilMade(options, move, () => { movedAt = performance.now() })

  /** Calls a method of BullMQ's whose one script goes with a batch. */
  async function inBatch<T> (result: AttemptResult | undefined, call: (own: RedisQueueBackend) => Promise<T>): Promise<{ value: T, opened: OpenedDelivery | undefined }> {
    let opened: OpenedDelivery | undefined
    const own = Object.create(backend) as RedisQueueBackend
    own.execCommand = async (_client, script: string, args: unknown[]) => {
      const moved = await run({ subscriber, command: { script, args }, result })
      opened = moved.opened
      return moved.reply
    }
    return { value: await call(own), opened }
  }

  const moves: JobMoves = {
    async take (token, worker) {
      const { value: [data, ...rest], opened } = await inBatch(undefined, async own => await moveToActive.call(own, token, worker))
      return [opened === undefined ? data : { ...data, opened }, ...rest] as NextJob
    },
    async finish ({ id, token }, result, wantsNext) {
      const handsOn = ++finished % HANDS_ON_EVERY === 0
      const { reply, opened } = await run({ subscriber, command: { jobId: id, token, wantsNext: wantsNext && !handsOn }, result })
      if (typeof reply === 'number') {
        if (reply < 0) throw backend.finishedErrors({ code: reply, jobId: id, command: 'moveToFinished', state: 'active' })
        return []
      }
      const [, jobId, ...waits] = reply
      return [opened === undefined ? null : { ...jobBegunAt(Date.now()), opened }, jobId, ...waits]
    },
    async delay ({ id, token }, untilMs, result) {
      const now = Date.now()
      await inBatch(result, async own => await moveToDelayed.call(own, id, now, Math.max(0, untilMs - now), token, { skipAttempt: true }))
    },
    async giveBack ({ id, token }, result) {
      await inBatch(result, async own => await moveJobFromActiveToWait.call(own, id, token))
    },
    movedAt: () => movedAt
  }

  backend.moveToActive = moves.take
  backend.moveToCompleted = async (...[{ id }, result, , token, wantsNext]) => ({
    result: await moves.finish({ id: id!, token }, (result ?? undefined) as AttemptResult | undefined, wantsNext), finishedOn: Date.now()
  })
  return moves
}

/** Makes a move; one with a result again and again, for without it BullMQ tries again by itself and nothing is lost. */
async function untilMade ({ batches, stopping, recorded }: MovesOptions, move: Move, tried: () => void): Promise<Moved> {
  for (;;) {
    tried()
    try {
      const moved = await batches.run(move)
      if (move.result !== undefined) recorded?.(move.result)
      return moved
    } catch (error) {
      if (move.result === undefined || !isRedisAway(error) || stopping?.aborted === true) throw error
      await wait(AGAIN_AFTER_MS, undefined, stopping === undefined ? {} : { signal: stopping }).catch(() => {})
    }
  }
}

/** A job in the form in which BullMQ reads it; all of ours are alike. */
function jobBegunAt (processedOn: number): object {
  return { name: JOB_NAME, data: '{}', opts: {}, timestamp: processedOn, delay: 0, priority: 0, processedOn }
}
