/**
 * The moves of the jobs of one subscriber, in four verbs: take, finish, delay and
 * give back. A job that is taken carries its delivery. The caller that ends an
 * attempt passes its result with the job, and one step writes both. A result is
 * never lost while this process lives: if Redis refuses a move for now, it is
 * made again until it is on record.
 *
 * Only this file and `batches.ts` know that moves go to Redis in batches.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { isRedisAway } from '../../model/redis-away.js'
import type { AttemptResult, OpenedDelivery } from '../../model/work.js'
import type { BatchCommand, HeldJob } from './batch-commands.js'
import type { Batches, Moved } from './batches.js'

/**
 * Of this many finished jobs of a queue, one gives its place to the longest
 * waiting worker, on any replica. Otherwise the first replica would keep all
 * places of a busy subscriber for as long as jobs wait.
 */
const HANDS_ON_EVERY = 64
/** Wait before a move with a result is made again, milliseconds. */
const AGAIN_AFTER_MS = 250

/** The next job and its delivery, or how long there is none. */
export type NextJob = Pick<Moved, 'limitMs' | 'dueInMs'> & { next: { jobId: string, opened: OpenedDelivery } | null }

export interface JobMoves {
  /** @param token  for its lock */
  take (token: string): Promise<NextJob>
  /** The delivery is no longer open under this job. @returns the next job, if it is wanted and there is one */
  finish (job: HeldJob, result: AttemptResult | undefined, wantsNext: boolean): Promise<NextJob>
  /** The job may not be taken for this many milliseconds, by Redis's clock. */
  delay (job: HeldJob, ms: number, result: AttemptResult | undefined): Promise<void>
  /** The job goes back to the front of the queue. */
  giveBack (job: HeldJob, result: AttemptResult | undefined): Promise<void>
  /** When a job was last moved or asked for, by `performance.now()`; `-Infinity` if never. */
  movedAt (): number
}

export interface MovesOptions {
  subscriber: string
  batches: Batches
  /** Aborted when time is up: then a result that Redis does not take is lost. */
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

/** Makes a move. Repeats a move with a result until it succeeds; without a result BullMQ tries again itself, and nothing is lost. */
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
