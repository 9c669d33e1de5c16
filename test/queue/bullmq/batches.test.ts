/**
 * Jobs that move in batches: what a batch leaves in Redis is what BullMQ
 * leaves, an attempt is on record before its job is gone, and what goes wrong
 * with one job is nobody else's trouble.
 */
import t, { type Test } from '../../support/tap.js'
import { createRedisBackend, Queue, type QueueBaseOptions, type RedisQueueBackend, type WorkerOptions } from 'bullmq'
import type { Redis } from 'ioredis'
import { jobIdOf } from '../../../src/model/delivery.js'
import type { AttemptResult } from '../../../src/model/work.js'
import type { Limits } from '../../../src/queue/bullmq/batch-commands.js'
import { createBatches, type Batches } from '../../../src/queue/bullmq/batches.js'
import { movesOf, type HeldJob, type JobMoves } from '../../../src/queue/bullmq/moves.js'
import { readEvent } from '../../../src/record/read-event.js'
import { keysOf } from '../../../src/redis/keys.js'
import type { RedisClient } from '../../../src/redis/script.js'
import { startRedis } from '../../support/redis.js'
import { until } from '../../support/until.js'
import { accepted, attemptOf, hasJob, NO_LIMITS, openGateway, policyFor, RECORDING, type Gateway } from '../../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const redis = server.client()

const TOKEN = 'worker:1'
const WORKER = { lockDuration: 6_000, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } }
const NOW = Date.now()
const LATER = NOW + 3_600_000

/** One queue of BullMQ's, and a worker's way to it. */
interface Line { queue: Queue, backend: RedisQueueBackend, prefix: string }

function lineOf (t: Test, prefix: string, batches: Batches | null): Line {
  const options = { connection: redis, prefix, ...WORKER }
  const queue = new Queue('a', options)
  const backend = createRedisBackend('a', options, {})
  if (batches !== null) movesOf(backend, { subscriber: 'a', batches })
  t.teardown(async () => { await queue.close() })
  return { queue, backend, prefix }
}

async function add ({ queue }: Line, ids: string[], delay?: number): Promise<void> {
  for (const jobId of ids) await queue.add('deliver', {}, { jobId, timestamp: NOW, ...(delay === undefined ? {} : { delay }) })
}

/** What a finished job is to BullMQ. */
async function finish ({ backend }: Line, id: string, wantsNext = true): Promise<unknown> {
  try {
    const { result } = await backend.moveToCompleted({ id, opts: {} } as never, null, { count: 0 }, TOKEN, wantsNext)
    return result
  } catch (error) {
    return (error as Error).message.replaceAll(/p\d+-(batches|bullmq)/g, 'prefix')
  }
}

/** Everything of a queue but what nobody reads: events, and how often and when jobs were begun. */
async function left ({ prefix }: Line): Promise<object> {
  const found: Record<string, unknown> = {}
  for (const key of (await redis.keys(`${prefix}:a:*`)).sort()) {
    const name = key.slice(prefix.length + 3)
    if (name === 'events' || name === 'id') continue
    found[name] = await contentOf(redis, key)
  }
  return found
}

async function contentOf (redis: Redis, key: string): Promise<unknown> {
  const ttl = await redis.pttl(key) > 0 ? 'for a while' : 'for ever'
  switch (await redis.type(key)) {
    case 'list': return await redis.lrange(key, 0, -1)
    case 'set': return (await redis.smembers(key)).sort()
    case 'zset': return await redis.zrange(key, '0', '-1', 'WITHSCORES')
    case 'hash': {
      // How many may be active is not kept in the queue by us.
      const { processedOn: _, ats: _ats, atm: _atm, concurrency: _concurrency, ...fields } = await redis.hgetall(key)
      return fields
    }
    default: return [await redis.get(key), ttl]
  }
}

/** A job is active; what else there is when it finishes. */
const STATES: ReadonlyArray<[says: string, prepare: (line: Line) => Promise<unknown>, wantsNext?: boolean, limits?: Limits]> = [
  ['others wait', async line => { await add(line, ['evt_B-1', 'evt_C-1']) }],
  ['others wait, and none is wanted', async line => { await add(line, ['evt_B-1']) }, false],
  ['none waits', async () => {}],
  ['as many are active as may', async line => {
    await add(line, ['evt_B-1', 'evt_C-1'])
    await line.backend.moveToActive('worker:2')
    await line.queue.setGlobalConcurrency(1)
  }, true, { concurrency: 1, rateLimit: null }],
  ['one less is active than may', async line => {
    await add(line, ['evt_B-1', 'evt_C-1'])
    await line.backend.moveToActive('worker:2')
    await line.queue.setGlobalConcurrency(2)
  }, true, { concurrency: 2, rateLimit: null }],
  ['one becomes due', async line => { await add(line, ['evt_B-1'], 1); await new Promise(resolve => { setImmediate(resolve) }) }],
  ['one will be due later', async line => { await add(line, ['evt_B-1'], LATER - NOW) }],
  ['it counts as stalled', async line => { await redis.sadd(`${line.prefix}:a:stalled`, 'evt_A-1', 'evt_X-1') }],
  ['its lock is lost', async line => { await redis.del(`${line.prefix}:a:evt_A-1:lock`) }],
  ['somebody else has its lock', async line => { await redis.set(`${line.prefix}:a:evt_A-1:lock`, 'worker:9') }],
  ['it is not active any more', async line => { await redis.lrem(`${line.prefix}:a:active`, 1, 'evt_A-1') }]
]

let prefixes = 0
for (const [says, prepare, wantsNext, after = NO_LIMITS] of STATES) {
  t.test(`a job finishes while ${says}: Redis holds what BullMQ would have left`, async t => {
    const name = `p${++prefixes}`
    let limits: Limits = NO_LIMITS
    const batches = createBatches({ redis, keys: keysOf(`${name}-record`), recording: RECORDING, limitsOf: () => limits })
    for (const id of ['evt_A', 'evt_B', 'evt_C']) await redis.hset(keysOf(`${name}-record`).event(id), 'd:a', '{"s":"queued","g":1}')
    const lines = [lineOf(t, `${name}-batches`, batches), lineOf(t, `${name}-bullmq`, null)] as const
    const replies: unknown[] = []
    for (const line of lines) {
      limits = NO_LIMITS
      await add(line, ['evt_A-1'])
      const [, id] = await line.backend.moveToActive(TOKEN)
      t.equal(id, 'evt_A-1')
      await prepare(line)
      limits = after
      replies.push(await finish(line, 'evt_A-1', wantsNext))
    }
    t.strictSame(normalised(replies[0]), normalised(replies[1]))
    const [ours, theirs] = await Promise.all(lines.map(left))
    t.strictSame(ours, theirs)
  })
}

/** To a worker no next job is the same as nothing said of one; and a limit's rest is a little less for whoever asks later. */
function normalised (reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply
  const [, id = 0, limitMs = 0, untilMs = 0] = reply as [unknown, string | number, number, number]
  return [id, limitMs > 0 ? 'a while' : limitMs, untilMs]
}

function workerOptions (redis: RedisClient, prefix: string): QueueBaseOptions {
  const options: WorkerOptions = { connection: redis, prefix, ...WORKER }
  return options
}

interface Scene { gateway: Gateway, moves: JobMoves, ofOther: JobMoves, recorded: AttemptResult[] }

/** Two subscribers, whose jobs move in the same batches. */
async function setScene (t: Test): Promise<Scene> {
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b']) })
  const { keys, blocking: { redis } } = gateway
  const recorded: AttemptResult[] = []
  const batches = createBatches({ redis, keys, recording: { ...RECORDING, recorded (result) { recorded.push(result) } }, limitsOf: () => NO_LIMITS })
  const of = (subscriber: string): JobMoves => movesOf(createRedisBackend(subscriber, workerOptions(redis, keys.queuePrefix), {}), { subscriber, batches })
  return { gateway, moves: of('a'), ofOther: of('b'), recorded }
}

function delivered (eventId: string): AttemptResult {
  return { eventId, subscriber: 'a', generation: 1, attempt: attemptOf({ statusCode: 204 }), outcome: null, usesBudget: true, next: { state: 'delivered' } }
}

/** The first job of an event, as it is held. */
function held (eventId: string): HeldJob {
  return { id: jobIdOf(eventId, 1), token: TOKEN }
}

t.test('the attempt goes on record in the step in which its job goes, and is told of then', async t => {
  const { gateway, moves, recorded } = await setScene(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  await moves.take(TOKEN)
  const finishing = moves.finish(held(eventId), delivered(eventId), false)
  t.strictSame(recorded, [], 'nothing is told before Redis has it')
  await finishing
  t.match(recorded, [{ eventId }])
  t.notOk(await hasJob(gateway, 'a', eventId))
  t.match((await readEvent(gateway.store, eventId))!.deliveries, [{ state: 'delivered', attempts: 1 }, { state: 'queued' }])
})

t.test('so it does when the job is delayed, or given back', async t => {
  const { gateway, moves, recorded } = await setScene(t)
  const [later, again] = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  await moves.take(TOKEN)
  await moves.take(TOKEN)
  await moves.delay(held(later), LATER, { ...delivered(later), next: { state: 'retrying', nextAttemptAt: LATER } })
  await moves.giveBack(held(again), { ...delivered(again), usesBudget: false, next: { state: 'unchanged' } })
  t.match(recorded.map(({ eventId }) => eventId), [later, again])
  const { blocking: { redis }, keys } = gateway
  t.strictSame(await redis.zrange(`${keys.queuePrefix}:a:delayed`, '0', '-1'), [jobIdOf(later, 1)])
  t.strictSame(await redis.lrange(`${keys.queuePrefix}:a:wait`, 0, -1), [jobIdOf(again, 1)])
  t.match((await readEvent(gateway.store, later))!.deliveries, [{ state: 'retrying', attempts: 1, nextAttemptAt: LATER }, {}])
  t.match((await readEvent(gateway.store, again))!.deliveries, [{ state: 'queued', attempts: 1, budgetUsed: 0 }, {}])
})

t.test('subscribers of one event have jobs of one name, and attempts of their own', async t => {
  const { gateway, moves, ofOther } = await setScene(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  await Promise.all([moves.take(TOKEN), ofOther.take(TOKEN)])
  await Promise.all([
    ofOther.finish(held(eventId), { ...delivered(eventId), subscriber: 'b', next: { state: 'failed', reason: 'exhausted' } }, false),
    moves.finish(held(eventId), delivered(eventId), false)
  ])
  t.match((await readEvent(gateway.store, eventId))!.deliveries, [{ state: 'delivered' }, { state: 'failed' }])
})

t.test('what a job is for comes with it, whether it is asked for or follows another', async t => {
  const { gateway, moves } = await setScene(t)
  const [eventId, next] = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  const about = (id: string, taskId: string): object =>
    ({ opened: { kind: 'open', event: { id, taskId, revision: 1, contentType: 'application/json' }, delivery: { attempts: 0 } } })
  t.match((await moves.take(TOKEN))[0], about(eventId, 't1'))
  t.match((await moves.finish(held(eventId), delivered(eventId), true))[0], about(next, 't2'))
})

t.test('a job that is none of ours, or whose event is gone, is dropped; without a body it is for nothing', async t => {
  const { gateway, moves } = await setScene(t)
  const { keys, blocking: { redis } } = gateway
  const queue = new Queue('a', { connection: redis, prefix: keys.queuePrefix })
  t.teardown(async () => { await queue.close() })
  await queue.add('deliver', {}, { jobId: 'strange-1' })
  const eventId = await accepted(gateway, { taskId: 't1' })
  await redis.del(keys.event(eventId))
  t.strictSame((await moves.take(TOKEN))[1], 0)
  t.strictSame([await queue.getJobCountByTypes('wait', 'active'), await hasJob(gateway, 'a', eventId), await redis.exists(queue.toKey('strange-1'))], [0, false, 0])

  const withoutBody = await accepted(gateway, { taskId: 't2' })
  await redis.del(keys.body(withoutBody))
  t.match(await moves.take(TOKEN), [{ opened: { kind: 'closed' } }, jobIdOf(withoutBody, 1)], 'nor is there anything to send without a body')
})

t.test('a job whose attempt cannot be recorded stays where it is, and the others of its batch move', async t => {
  const { gateway, moves, recorded } = await setScene(t)
  const [broken, whole] = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  await moves.take(TOKEN)
  await moves.take(TOKEN)
  await gateway.blocking.redis.hset(gateway.keys.event(broken), 'd:a', 'not JSON')
  const [first, second] = await Promise.allSettled([broken, whole].map(async eventId => await moves.finish(held(eventId), delivered(eventId), false)))
  t.match(first, { status: 'rejected', reason: { message: /JSON|Expected/ } })
  t.equal(second!.status, 'fulfilled')
  t.match(recorded, [{ eventId: whole }])
  t.equal(await gateway.blocking.redis.lrem(`${gateway.keys.queuePrefix}:a:active`, 0, jobIdOf(broken, 1)), 1, 'still active')
})

t.test('a full Redis takes no arrival, but deliveries go on and make room', async t => {
  const { gateway, moves } = await setScene(t)
  const { blocking: { redis } } = gateway
  const ids = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  await redis.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await redis.config('SET', 'maxmemory', '0') })
  for (const eventId of ids) {
    const [, jobId] = await moves.take(TOKEN)
    t.equal(jobId, jobIdOf(eventId, 1))
    await moves.finish(held(eventId), delivered(eventId), false)
  }
  for (const eventId of ids) t.match((await readEvent(gateway.store, eventId))!.deliveries, [{ state: 'delivered' }, {}])
})

t.test('a result that Redis does not take for now goes on record later, and whoever gets its job meanwhile obeys it', async t => {
  const own = await startRedis(['--appendfsync', 'no'])
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'p', policy: policyFor(['a']) })
  const { keys, blocking: { redis } } = gateway
  const operator = own.client()
  let [sent, isReadOnly] = [0, false]
  const workers = await gateway.work(async ({ opened }) => {
    if (opened.kind !== 'open') return { kind: 'done' }
    if (++sent === 1) {
      await operator.replicaof('127.0.0.1', '1') // as in a failover
      isReadOnly = true
    }
    return { kind: 'done', result: delivered(opened.event.id) }
  })
  const eventId = await accepted(gateway, { taskId: 't1' })
  await until('the answer is there, and Redis takes no writes', () => isReadOnly)
  const refused = async (): Promise<number> => Number(/errorstat_READONLY:count=(\d+)/.exec(await operator.info('errorstats'))?.[1] ?? 0)
  await until('its result was refused more than once', async () => await refused() >= 3)
  await operator.replicaof('NO', 'ONE')
  await until('it is on record', async () => (await readEvent(gateway.store, eventId))!.deliveries[0]!.state === 'delivered')
  await until('and its job is gone', async () => await redis.exists(`${keys.queuePrefix}:a:${jobIdOf(eventId, 1)}`) === 0)
  t.equal(sent, 1)
  t.match((await readEvent(gateway.store, eventId))!.deliveries, [{ attempts: 1 }])
  await workers.stop(0)
})
