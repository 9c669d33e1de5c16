/**
 * How the jobs of one subscriber move, in four verbs: take, finish, delay and
 * give back. A job that is taken brings the delivery that it is for; whoever
 * ends an attempt hands its result over with the job, and both are written in
 * one step. A result is never given up while this process lives: a move that
 * Redis refuses for now is made again until it is on record.
 *
 * That moves go to Redis in batches is known here and in `batches.ts`, and
 * nowhere else.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { isRedisAway } from '../../model/redis-away.js'
import type { AttemptResult, OpenedDelivery } from '../../model/work.js'
import type { BatchCommand, HeldJob } from './batch-commands.js'
import type { Batches, Moved } from './batches.js'

/**
 * Of so many jobs of a queue that finish, one hands its place on to whoever
 * waits longest, on any replica. Else the replica that was first would keep all
 * places of a busy subscriber for as long as jobs wait.
 */
const HANDS_ON_EVERY = 64
/** Before a move with a result is made again, milliseconds. */
const AGAIN_AFTER_MS = 250

/** The next job and what it is for, or how long there is none. */
export type NextJob = Pick<Moved, 'limitMs' | 'dueInMs'> & { next: { jobId: string, opened: OpenedDelivery } | null }

export interface JobMoves {
  /** @param token  for its lock */
  take (token: string): Promise<NextJob>
  /** The delivery is no longer open under this job. @returns the next one, when it is wanted and there is one */
  finish (job: HeldJob, result: AttemptResult | undefined, wantsNext: boolean): Promise<NextJob>
  /** Not before so many milliseconds, by Redis's clock. */
  delay (job: HeldJob, ms: number, result: AttemptResult | undefined): Promise<void>
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

/** Makes the moves of one subscriber. */
export function createMoves (options: MovesOptions): JobMoves {
  let movedAt = -Infinity
  let finished = 0

  async function run (command: BatchCommand, result: AttemptResult | undefined): Promise<Moved> {
    return await untilMade(options, { command, result }, () => { movedAt = performance.now() })
  }

  return {
    take: async token => await run({ kind: 'take', token }, undefined),
    async finish (job, result, wantsNext) {
      const handsOn = ++finished % HANDS_ON_EVERY === 0
      return await run({ kind: 'finish', job, wantsNext: wantsNext && !handsOn }, result)
    },
    async delay (job, ms, result) { await run({ kind: 'delay', job, ms }, result) },
    async giveBack (job, result) { await run({ kind: 'back', job }, result) },
    movedAt: () => movedAt
  }
}

interface OneMove { command: BatchCommand, result: AttemptResult | undefined }

/** Makes a move; one with a result again and again, for without it BullMQ tries again by itself and nothing is lost. */
async function untilMade ({ subscriber, batches, stopping, recorded }: MovesOptions, { command, result }: OneMove, tried: () => void): Promise<Moved> {
  for (;;) {
    tried()
    try {
      const moved = await batches.run({ subscriber, command, result })
      if (result !== undefined) recorded?.(result)
      return moved
    } catch (error) {
      if (result === undefined || !isRedisAway(error) || stopping?.aborted === true) throw error
      await wait(AGAIN_AFTER_MS, undefined, stopping === undefined ? {} : { signal: stopping }).catch(() => {})
    }
  }
}
