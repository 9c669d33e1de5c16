/**
 * The workers' calls to Redis, gathered: BullMQ moves each job by a call of its
 * own; here the calls of all subscribers that come at about the same time are
 * one, and on the same way the attempts go on record and the next deliveries
 * are read.
 *
 *   attempts on record ──▶ jobs finish, wait or go back ──▶ next jobs, opened
 *
 * BullMQ decides which job moves where; only the way to Redis is ours, and
 * turn.lua is what runs there.
 */
import { createRedisBackend, type BackendFactory, type RedisQueueBackend } from 'bullmq'
import { parseJobId } from '../model/delivery.js'
import type { AttemptResult, OpenedDelivery } from '../model/work.js'
import { gather, type Gathered } from '../redis/gather.js'
import type { Keys } from '../redis/keys.js'
import { runPackedScript, type RedisClient } from '../redis/script.js'
import { JOB_NAME } from './job-scripts.js'
import { CALLS, Orders, turnScript, type Order, type TurnScripts } from './orders.js'

/** Calls under way: Redis works on one while the next is prepared. */
const TURNS_AT_ONCE = 2
/** Moves of one turn: a few milliseconds of Redis's time. */
const MOST_MOVES = 64
/**
 * Of so many jobs of a queue that finish, one hands its place on to whoever
 * waits longest, on any replica. Else the replica that was first would keep all
 * places of a busy subscriber for as long as jobs wait.
 */
const HANDS_ON_EVERY = 64

/** What the record lends to a turn; the scripts say what they take and return. */
export interface Recording extends TurnScripts {
  /** What `record_attempts` takes. */
  inputOf: (prefix: string, results: readonly AttemptResult[]) => object
  /** Reads what `open_deliveries` returned for one job. */
  read: (stored: never, body: Buffer | undefined, job: { subscriber: string, eventId: string, generation: number }) => OpenedDelivery
  /** Called when an attempt is on record. */
  recorded: (result: AttemptResult) => void
}

export interface TurnsOptions {
  redis: RedisClient
  keys: Keys
  recording: Recording
}

export interface Turns {
  /** Makes the backend of a worker, whose jobs move by turns. */
  backend: BackendFactory<RedisQueueBackend>
  /** What the job is about that a worker has just been given. */
  opened (subscriber: string, jobId: string): OpenedDelivery
  /** The attempt goes on record with the next move of its job. */
  record (jobId: string, result: AttemptResult): void
  /** When a worker of this subscriber last moved a job or asked for one, by `performance.now()`; `-Infinity` when none did. */
  movedAt (subscriber: string): number
}

interface Move { subscriber: string, order: Order, attempt: AttemptResult | undefined }

/** What BullMQ's scripts return: a number, or the next job, its id, and how long to wait for the rate limit or a due job. */
type Result = number | [job: unknown, jobId: string | number, limitMs: number, untilMs: number]
type Reply = ['moved', result: Result, opening: unknown] | ['failed', string]
interface Moved { reply: Reply, bodies: Buffer[] }

/** Makes the way to Redis that all workers of this process share. */
export function createTurns (options: TurnsOptions): Turns {
  const take = createTaking(options)
  const opened = new Map<string, OpenedDelivery>()
  /** Kept until the move of its job is made, however often BullMQ has to try. */
  const attempts = new Map<string, AttemptResult>()
  const movedAt = new Map<string, number>()
  /** Subscribers of one event have jobs of one name. */
  const nameOf = (subscriber: string, jobId: string): string => `${subscriber} ${jobId}`

  async function move (subscriber: string, order: Order): Promise<Result> {
    movedAt.set(subscriber, performance.now())
    const name = namesOf(order).map(jobId => nameOf(subscriber, jobId)).find(name => attempts.has(name)) ?? ''
    const attempt = attempts.get(name)
    const { reply, bodies } = await take({ subscriber, order, attempt })
    if (reply[0] === 'failed') throw new Error(reply[1])
    const [, result, opening] = reply
    if (attempt !== undefined) {
      attempts.delete(name)
      options.recording.recorded(attempt)
    }
    if (typeof result === 'object' && typeof result[1] === 'string') {
      opened.set(nameOf(subscriber, result[1]), openedFrom(options, { subscriber, jobId: result[1], opening, bodies }))
    }
    return result
  }

  return {
    backend: (name, ...rest) => movingByTurns(createRedisBackend(name, ...rest), async order => await move(name, order)),
    opened (subscriber, jobId) {
      const name = nameOf(subscriber, jobId)
      const found = opened.get(name)
      opened.delete(name)
      if (found === undefined) throw new Error(`job ${jobId} was not taken by a turn`)
      return found
    },
    record (jobId, result) { attempts.set(nameOf(result.subscriber, jobId), result) },
    movedAt: subscriber => movedAt.get(subscriber) ?? -Infinity
  }
}

/** The ids of jobs that an order speaks of, and other texts that are none. */
function namesOf (order: Order): string[] {
  return 'jobId' in order ? [order.jobId] : order.args.filter(arg => typeof arg === 'string')
}

/** What sends the moves of a turn and gets their replies. */
function createTaking ({ redis, keys, recording }: TurnsOptions): Gathered<Move, Moved> {
  const script = turnScript(recording)
  const orders = new Orders()
  return gather<Move, Moved>({
    async send (moves) {
      const made = moves.flatMap(({ attempt }) => attempt ?? [])
      const { binary, ...packed } = orders.pack(moves.map(({ subscriber, order, attempt }) =>
        ({ subscriber, order, attempt: attempt === undefined ? 0 : made.indexOf(attempt) + 1 })))
      const { output, blobs: bodies } = await runPackedScript(redis, script, {
        key: keys.events,
        input: { attempts: recording.inputOf(keys.prefix, made), ...packed },
        blobs: [binary]
      })
      return (output as Reply[]).map(reply => ({ reply, bodies }))
    },
    atOnce: TURNS_AT_ONCE,
    most: MOST_MOVES
  })
}

function openedFrom (
  { recording }: TurnsOptions, { subscriber, jobId, opening, bodies }: { subscriber: string, jobId: string, opening: unknown, bodies: Buffer[] }
): OpenedDelivery {
  const ref = parseJobId(jobId)
  if (ref === null) return { kind: 'closed' }
  const place = Array.isArray(opening) ? Number(opening.at(-1)) : 0
  return recording.read(opening as never, bodies[place - 1], { subscriber, ...ref })
}

/** Changes where a backend sends what moves jobs; all else goes BullMQ's way. */
function movingByTurns (backend: RedisQueueBackend, move: (order: Order) => Promise<Result>): RedisQueueBackend {
  const plain = backend.execCommand.bind(backend)
  let finished = 0
  backend.execCommand = (client, command, args) => {
    const which = CALLS.indexOf(command as typeof CALLS[number])
    return which === -1 ? plain(client, command, args) : move({ which, args })
  }
  backend.moveToCompleted = async (...[{ id }, , , token, wantsNext]) => {
    const handsOn = ++finished % HANDS_ON_EVERY === 0
    const result = await move({ jobId: id!, token, wantsNext: wantsNext && !handsOn })
    const finishedOn = Date.now()
    if (typeof result === 'number') {
      if (result < 0) throw backend.finishedErrors({ code: result, jobId: id!, command: 'moveToFinished', state: 'active' })
      return { result: [], finishedOn }
    }
    const [, jobId, ...waits] = result
    return { result: [typeof jobId === 'string' ? jobBegunAt(finishedOn) : null, jobId, ...waits], finishedOn }
  }
  return backend
}

/** A job in the form in which BullMQ reads it; all of ours are alike. */
function jobBegunAt (processedOn: number): object {
  return { name: JOB_NAME, data: '{}', opts: {}, timestamp: processedOn, delay: 0, priority: 0, processedOn }
}
