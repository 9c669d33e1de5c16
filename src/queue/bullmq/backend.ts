/**
 * All calls of a BullMQ worker to Redis: jobs are taken and ended by our moves, and
 * every remaining script of BullMQ (locks, stalled jobs) runs with a first command
 * that frees memory, so that no step of a worker needs free memory. A full Redis
 * refuses a script's first write only, and never a command that deletes.
 */
import { createRedisBackend, type RedisQueueBackend } from 'bullmq'
import * as bullmq from 'bullmq/dist/cjs/scripts/index.js'
import type { AttemptResult, OpenedDelivery } from '../../model/work.js'
import { includable, runScript, type RedisClient, type Script } from '../../redis/script.js'
import { JOB_NAME } from './job-scripts.js'
import type { JobMoves, NextJob } from './moves.js'

const SHIM = includable(new URL('./shim.lua', import.meta.url))
/** Wait before a job whose move failed is tried again, milliseconds. */
const AFTER_TROUBLE_MS = 1_000

/** BullMQ's data of a job, and its delivery. */
export interface TakenJobData { opened: OpenedDelivery }

/** The next job in the form that BullMQ reads, its id, how long to wait for a limit, and until when for a due job, milliseconds. */
type BullJob = [data: object | null, jobId: string | undefined, limitMs: number, untilMs: number]

/** Makes the backend of one worker. */
export function createBackend (its: Parameters<typeof createRedisBackend>, redis: RedisClient, moves: JobMoves): RedisQueueBackend {
  const backend = createRedisBackend(...its)
  backend.execCommand = async (_client: unknown, name: string, args: never[]) => {
    const { keys: count } = scriptNamed(name)
    return await runScript(redis, drainingScript(name), { keys: args.slice(0, count), args: args.slice(count) })
  }
  backend.moveToActive = async token => bullJobOf(await moves.take(token)) as never
  backend.moveToCompleted = async (...[{ id }, result, , token, wantsNext]) => ({
    result: bullJobOf(await moves.finish({ id: id!, token }, (result ?? undefined) as AttemptResult | undefined, wantsNext)) as never,
    finishedOn: Date.now()
  })
  // None of our jobs fails: after an error it is tried again.
  backend.moveToFailed = async (...[{ id }, , , token]) => {
    await moves.delay({ id: id!, token }, AFTER_TROUBLE_MS, undefined)
    return { result: undefined as never, finishedOn: Date.now() }
  }
  return backend
}

/** Redis returns a duration; BullMQ expects a time. All our jobs are alike. */
function bullJobOf ({ next, limitMs, dueInMs }: NextJob): BullJob {
  const now = Date.now()
  const data = next === null
    ? null
    : { name: JOB_NAME, data: '{}', opts: {}, timestamp: now, delay: 0, priority: 0, processedOn: now, opened: next.opened }
  return [data, next?.jobId, limitMs, dueInMs === 0 ? 0 : now + dueInMs]
}

interface BullScript { keys: number, content: string }

function scriptNamed (name: string): BullScript {
  return (bullmq as unknown as Record<string, BullScript>)[name]!
}

const draining = new Map<string, Script>()

function drainingScript (name: string): Script {
  const known = draining.get(name)
  if (known !== undefined) return known
  const script = {
    name: `bullmq-${name}`,
    lua: `redis.call('DEL', KEYS[1] .. ':x')\n${SHIM}\nlocal function script(redis)\n${scriptNamed(name).content}\nend\nreturn script(shim)`
  }
  draining.set(name, script)
  return script
}
