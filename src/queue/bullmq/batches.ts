/**
 * The workers' calls to Redis, in batches: BullMQ moves each job by a call of
 * its own; here the calls of all subscribers that come at about the same time
 * are one, and with them the attempts go on record and the next deliveries are
 * read.
 *
 *   attempts on record ──▶ jobs finish, wait or go back ──▶ next jobs, opened
 *
 * BullMQ decides which job moves where; only the way to Redis is ours, and
 * batch.lua is what runs there.
 */
import { parseJobId } from '../../model/delivery.js'
import type { AttemptResult, OpenedDelivery } from '../../model/work.js'
import { createBatcher, type Batched } from '../../redis/batcher.js'
import type { Keys } from '../../redis/keys.js'
import { runPackedScript, type RedisClient } from '../../redis/script.js'
import { batchScript, CommandPacker, type BatchCommand, type Limits, type RecordScripts } from './batch-commands.js'

/** Calls under way: Redis works on one while the next is prepared. */
const BATCHES_AT_ONCE = 2
/** Moves of one batch: a few milliseconds of Redis's time. */
const MOST_MOVES = 64

/** What the record lends to a batch; the scripts say what they take and return. */
export interface Recording extends RecordScripts {
  /** What `record_attempts` takes. */
  inputOf: (prefix: string, results: readonly AttemptResult[]) => object
  /** Reads what `open_deliveries` returned for one job. */
  read: (stored: never, body: Buffer | undefined, job: { subscriber: string, eventId: string, generation: number }) => OpenedDelivery
  /** Called when an attempt is on record. */
  recorded: (result: AttemptResult) => void
}

export interface BatchesOptions {
  redis: RedisClient
  keys: Keys
  recording: Recording
  /** Of the running configuration: a change is in force with the next job. */
  limitsOf: (subscriber: string) => Limits
}

/** One job moves. */
export interface Move {
  subscriber: string
  command: BatchCommand
  /** The attempt that was made for it; it goes on record in the same step. */
  result: AttemptResult | undefined
}

/** What BullMQ's scripts return: a number, or the next job, its id, and how long to wait for the rate limit or a due job. */
export type ScriptReply = number | [job: unknown, jobId: string | number, limitMs: number, untilMs: number]

export interface Moved {
  reply: ScriptReply
  /** What the next job is for, when there is one. */
  opened: OpenedDelivery | undefined
}

export interface Batches {
  /** Moves a job with others; rejects with why it could not be moved, or with what ioredis throws. */
  run (move: Move): Promise<Moved>
}

type BatchReply = ['moved', reply: ScriptReply, opening: unknown] | ['failed', why: string]

/** Makes the way to Redis that all workers of this process share. */
export function createBatches (options: BatchesOptions): Batches {
  const { recording } = options
  const send = createSender(options)
  return {
    async run (move) {
      const { reply: answer, bodies } = await send(move)
      if (answer[0] === 'failed') throw new Error(answer[1])
      const [, reply, opening] = answer
      if (move.result !== undefined) recording.recorded(move.result)
      const jobId = typeof reply === 'object' ? reply[1] : 0
      const opened = typeof jobId === 'string' ? openedFrom(recording, { subscriber: move.subscriber, jobId, opening, bodies }) : undefined
      return { reply, opened }
    }
  }
}

interface Sent { reply: BatchReply, bodies: Buffer[] }

/** What sends the moves of a batch and gets their replies. */
function createSender ({ redis, keys, recording, limitsOf }: BatchesOptions): Batched<Move, Sent> {
  const script = batchScript(recording)
  const packer = new CommandPacker(limitsOf)
  return createBatcher<Move, Sent>({
    async send (moves) {
      const results = moves.flatMap(({ result }) => result ?? [])
      const { binary, ...packed } = packer.pack(moves.map(({ subscriber, command, result }) =>
        ({ subscriber, command, attempt: result === undefined ? 0 : results.indexOf(result) + 1 })))
      const { output, blobs: bodies } = await runPackedScript(redis, script, {
        key: keys.events,
        input: { attempts: recording.inputOf(keys.prefix, results), ...packed },
        blobs: [binary]
      })
      return (output as BatchReply[]).map(reply => ({ reply, bodies }))
    },
    atOnce: BATCHES_AT_ONCE,
    most: MOST_MOVES
  })
}

interface Opening { subscriber: string, jobId: string, opening: unknown, bodies: Buffer[] }

function openedFrom (recording: Recording, { subscriber, jobId, opening, bodies }: Opening): OpenedDelivery {
  const ref = parseJobId(jobId)
  if (ref === null) return { kind: 'closed' }
  const place = Array.isArray(opening) ? Number(opening.at(-1)) : 0
  return recording.read(opening as never, bodies[place - 1], { subscriber, ...ref })
}
