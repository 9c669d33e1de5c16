/**
 * The workers' access to Redis, in batches: moves of all subscribers that come at
 * about the same time are one call, which also records their attempts and reads
 * the next deliveries.
 *
 *   attempts on record ──▶ jobs finish, wait or go back ──▶ next jobs, opened
 */
import { parseJobId } from '../../model/delivery.js'
import type { AttemptResult, OpenedDelivery } from '../../model/work.js'
import { createBatcher, type Batched } from '../../redis/batcher.js'
import type { Keys } from '../../redis/keys.js'
import { runPackedScript, unpack, type RedisClient } from '../../redis/script.js'
import { batchScript, packCommands, type BatchCommand, type Limits, type RecordScripts } from './batch-commands.js'

/** Calls in flight: Redis works on one while the next is prepared. */
const BATCHES_AT_ONCE = 2
/** Maximum moves per batch: a few milliseconds of Redis's time. */
const MOST_MOVES = 64

/** The scripts of the record in a batch; each says what it takes and returns. */
export interface Recording extends RecordScripts {
  /** What `record_attempts` takes. */
  inputOf: (prefix: string, results: readonly AttemptResult[]) => object
  /** Reads the result of `open_deliveries` for one job. */
  read: (stored: never, bodies: readonly Buffer[], job: { subscriber: string, eventId: string }) => OpenedDelivery
  /** Called when an attempt is on record. @param nextAttemptAt  epoch milliseconds; `null` if the record has none planned */
  recorded: (result: AttemptResult, nextAttemptAt: number | null) => void
  /** Called when a delivery has failed because its stored entry cannot be read. */
  corrupt: (delivery: { eventId: string, subscriber: string }) => void
}

export interface BatchesOptions {
  redis: RedisClient
  keys: Keys
  recording: Recording
  /** Reads the running configuration: a change applies to the next job. */
  limitsOf: (subscriber: string) => Limits
}

/** One job moves. */
export interface Move {
  subscriber: string
  command: BatchCommand
  /** The attempt that was made for it; the same step records it. */
  result: AttemptResult | undefined
}

/** What follows a move. */
export interface Moved {
  /** `null` if there is none, or none was wanted. */
  next: { jobId: string, opened: OpenedDelivery } | null
  /** How long to wait for a limit, milliseconds; 0 if no limit applies. */
  limitMs: number
  /** When the next job becomes due, milliseconds from now; 0 if none becomes due by time. */
  dueInMs: number
}

export interface Batches {
  /** Moves a job, together with others; rejects with the reason of a failure, or with an error of ioredis. */
  run (move: Move): Promise<Moved>
}

type BatchReply = ['moved', jobId: string, opening: unknown, limitMs: number, dueInMs: number, nextAttemptAt: number] | ['failed', why: string]

/** Makes the access to Redis that all workers of this process share. */
export function createBatches (options: BatchesOptions): Batches {
  const { recording } = options
  const send = createSender(options)
  return {
    async run (move) {
      const { reply, bodies } = await send(move)
      if (reply[0] === 'failed') throw new Error(reply[1])
      const [, jobId, opening, limitMs, dueInMs, nextAttemptAt] = reply
      if (move.result !== undefined) recording.recorded(move.result, nextAttemptAt === 0 ? null : nextAttemptAt)
      const next = jobId === '' ? null : { jobId, opened: recording.read(opening as never, bodies, { subscriber: move.subscriber, ...parseJobId(jobId)! }) }
      return { next, limitMs, dueInMs }
    }
  }
}

interface Sent { reply: BatchReply, bodies: Buffer[] }

/** Sends the moves of a batch and returns their replies. */
function createSender ({ redis, keys, recording, limitsOf }: BatchesOptions): Batched<Move, Sent> {
  const script = batchScript(recording)
  return createBatcher<Move, Sent>({
    async send (moves) {
      const results = moves.flatMap(({ result }) => result ?? [])
      const commands = moves.map(({ subscriber, command, result }) =>
        ({ subscriber, command, attempt: result === undefined ? 0 : results.indexOf(result) + 1 }))
      const { output, blobs: [corrupt, ...bodies] } = await runPackedScript(redis, script, {
        key: keys.events,
        input: { attempts: recording.inputOf(keys.prefix, results), ...packCommands(commands, keys, limitsOf) }
      })
      for (const [eventId, subscriber] of listOf<[string, string]>(unpack(corrupt!))) recording.corrupt({ eventId, subscriber })
      return (output as BatchReply[]).map(reply => ({ reply, bodies }))
    },
    atOnce: BATCHES_AT_ONCE,
    most: MOST_MOVES
  })
}

/** A script packs an empty list as an empty map. */
function listOf<Entry> (packed: unknown): Entry[] {
  return Array.isArray(packed) ? packed as Entry[] : []
}
