/**
 * Jobs that move in batches: what a batch leaves in Redis is what BullMQ
 * leaves, an attempt is on record before its job is gone, and what goes wrong
 * with one job is nobody else's trouble.
 */
import t, { type Test } from '../../support/tap.js'
import { createRedisBackend, Queue, type RedisQueueBackend } from 'bullmq'
import type { Redis } from 'ioredis'
import { jobIdOf } from '../../../src/model/delivery.js'
import type { AttemptResult } from '../../../src/model/work.js'
import { createBackend } from '../../../src/queue/bullmq/backend.js'
import type { HeldJob, Limits } from '../../../src/queue/bullmq/batch-commands.js'
import { createBatches, type Recording } from '../../../src/queue/bullmq/batches.js'
import { createMoves, type JobMoves } from '../../../src/queue/bullmq/moves.js'
import { readEvent } from '../../../src/record/read-event.js'
import { recordingOf } from '../../../src/record/record-attempt.js'
import { keysOf, type Keys } from '../../../src/redis/keys.js'
import { startRedis } from '../../support/redis.js'
import { until } from '../../support/until.js'
import { accepted, attemptOf, endDelivery, hasJob, NO_LIMITS, openGateway, policyFor, RECORDING, type Gateway } from '../../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const redis = server.client()

const TOKEN = 'worker:1'
const WORKER = { lockDuration: 6_000, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } }
const NOW = Date.now()
const LATER = NOW + 3_600_000

/** One queue of BullMQ's, and a worker's way to it. */
interface Line { queue: Queue, backend: RedisQueueBackend, prefix: string }

/** @param limitsOf  `null` for BullMQ's own way */
async function lineOf (t: Test, name: string, limitsOf: (() => Limits) | null): Promise<Line> {
  const keys = keysOf(name)
  const options = { connection: redis, prefix: keys.queuePrefix, ...WORKER }
  const queue = new Queue('a', { ...options, skipMetasUpdate: true })
  const moves = createMoves({ subscriber: 'a', batches: createBatches({ redis, keys, recording: RECORDING, limitsOf: limitsOf ?? (() => NO_LIMITS) }) })
  const backend = limitsOf === null ? createRedisBackend('a', options, {}) : createBackend(['a', options, {}], redis, moves)
  t.teardown(async () => { await queue.close() })
  for (const id of ['evt_A', 'evt_B', 'evt_C']) {
    await redis.hset(keys.event(id), { task: 't', at: NOW, rev: 1, ct: 'x', seq: 1, 'd:a': JSON.stringify({ s: 'queued', g: 1, n: 0, b: 0, q: NOW }) })
    await redis.set(keys.body(id), '{}')
  }
  return { queue, backend, prefix: keys.queuePrefix }
}

async function add ({ queue }: Line, ids: string[], delay?: number): Promise<void> {
  for (const jobId of ids) await queue.add('deliver', {}, { jobId, timestamp: NOW, ...(delay === undefined ? {} : { delay }) })
}

/** What a finished job is to BullMQ. */
async function finish ({ backend }: Line, id: string, wantsNext = true): Promise<unknown> {
  const { result } = await backend.moveToCompleted({ id, opts: {} } as never, null, { count: 0 }, TOKEN, wantsNext)
  return result
}

/** Everything of a queue but what nobody reads: events, how often and when jobs were begun, and the marks that wake workers. */
async function left ({ prefix }: Line): Promise<object> {
  const found: Record<string, unknown> = {}
  for (const key of (await redis.keys(`${prefix}:a:*`)).sort()) {
    const name = key.slice(prefix.length + 3)
    if (['events', 'id', 'meta', 'marker'].includes(name)) continue
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
      // What becomes due is not noted in its job.
      const { processedOn: _, ats: _ats, atm: _atm, delay: _delay, ...fields } = await redis.hgetall(key)
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
  ['it counts as stalled', async line => { await redis.sadd(`${line.prefix}:a:stalled`, 'evt_A-1', 'evt_X-1') }]
]

let prefixes = 0
for (const [says, prepare, wantsNext, after = NO_LIMITS] of STATES) {
  t.test(`a job finishes while ${says}: Redis holds what BullMQ would have left`, async t => {
    const name = `p${++prefixes}`
    let limits: Limits = NO_LIMITS
    const lines = [await lineOf(t, `${name}-batches`, () => limits), await lineOf(t, `${name}-bullmq`, null)] as const
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

/** To a worker no next job is the same as nothing said of one; the rest of a wait is a little less for whoever asks later. */
function normalised (reply: unknown): unknown {
  const [, id, limitMs = 0, untilMs = 0] = (Array.isArray(reply) ? reply : []) as [unknown?, (string | 0)?, number?, number?]
  return [id === 0 ? undefined : id, limitMs > 0, untilMs > NOW]
}

/** What had become of the job of a worker that was away too long, and what becomes of it when it is finished. */
const LOST: ReadonlyArray<[says: string, lose: (keys: Keys, job: string) => Promise<unknown>, left: string[]]> = [
  ['its lock is lost', async (keys, job) => await redis.del(`${keys.queuePrefix}:a:${job}:lock`), []],
  ['somebody else has its lock', async (keys, job) => await redis.set(`${keys.queuePrefix}:a:${job}:lock`, 'worker:9'), ['active', 'its lock']],
  ['it waits again', async keys => await redis.rpoplpush(`${keys.queuePrefix}:a:active`, `${keys.queuePrefix}:a:wait`), ['wait']]
]
for (const [says, lose, left] of LOST) {
  t.test(`a job that was delivered finishes while ${says}: the attempt is on record, nobody else's job is touched, nothing is wrong`, async t => {
    const { gateway, moves } = await setScene(t)
    const { keys } = gateway
    const eventId = await accepted(gateway, { taskId: 't1' })
    const job = jobIdOf(eventId, 1)
    await moves.take(TOKEN)
    await lose(keys, job)
    await moves.finish(held(eventId), delivered(eventId), false)
    t.match((await readEvent(gateway.store, eventId))!.deliveries, [{ state: 'delivered', attempts: 1 }, {}])
    const found = await Promise.all(['wait', 'active'].map(async name => await redis.lrem(`${keys.queuePrefix}:a:${name}`, 0, job) > 0 ? [name] : []))
    const lock = await redis.exists(`${keys.queuePrefix}:a:${job}:lock`) === 1 ? ['its lock'] : []
    t.strictSame([...found.flat(), ...lock], left)
  })
}

interface Scene {
  gateway: Gateway
  moves: JobMoves
  ofOther: JobMoves
  recorded: Array<AttemptResult & { nextAttemptAt: number | null }>
  corrupted: object[]
}

/** Two subscribers, whose jobs move in the same batches. */
async function setScene (t: Test, breakerOf: Parameters<typeof recordingOf>[2] = () => null): Promise<Scene> {
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b']) })
  const { keys, blocking: { redis } } = gateway
  const [recorded, corrupted]: [Scene['recorded'], object[]] = [[], []]
  const recording: Recording = {
    ...RECORDING,
    inputOf: (prefix, results) => recordingOf(prefix, results, breakerOf),
    recorded (result, nextAttemptAt) { recorded.push({ ...result, nextAttemptAt }) },
    corrupt (delivery) { corrupted.push(delivery) }
  }
  const batches = createBatches({ redis, keys, recording, limitsOf: () => NO_LIMITS })
  const of = (subscriber: string): JobMoves => createMoves({ subscriber, batches })
  return { gateway, moves: of('a'), ofOther: of('b'), recorded, corrupted }
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
  await moves.delay(held(later), LATER - NOW, { ...delivered(later), next: { state: 'retrying', waitMs: LATER - NOW } })
  await moves.giveBack(held(again), { ...delivered(again), usesBudget: false, next: { state: 'unchanged' } })
  const { blocking: { redis }, keys } = gateway
  const nextAttemptAt = Number(await redis.zscore(`${keys.queuePrefix}:a:delayed`, jobIdOf(later, 1))) / 0x1000
  t.match(recorded, [{ eventId: later, nextAttemptAt }, { eventId: again, nextAttemptAt: null }], 'what is told of the next attempt is what is planned')
  t.equal((await readEvent(gateway.store, later))!.deliveries[0]!.nextAttemptAt, nextAttemptAt)
  t.strictSame(await redis.zrange(`${keys.queuePrefix}:a:delayed`, '0', '-1'), [jobIdOf(later, 1)])
  t.strictSame(await redis.lrange(`${keys.queuePrefix}:a:wait`, 0, -1), [jobIdOf(again, 1)])
  t.match((await readEvent(gateway.store, later))!.deliveries, [{ state: 'retrying', attempts: 1 }, {}])
  t.match((await readEvent(gateway.store, again))!.deliveries, [{ state: 'queued', attempts: 1, budgetUsed: 0 }, {}])
})

t.test('a delivery whose budget ends in the trial of a breaker keeps its job', async t => {
  const rules = { share: 1, failures: 1, windowMs: 86_400_000, openForMs: 60_000, maxOpenForMs: 60_000 }
  const { gateway, moves, recorded } = await setScene(t, () => rules)
  const { blocking: { redis }, keys } = gateway
  const eventId = await accepted(gateway, { taskId: 't1' })
  await moves.take(TOKEN)
  await redis.hset(keys.subscriber('a'), 'breaker', 'half-open')
  const outcome = { kind: 'retry', reason: 'server-error', status: 503 } as const
  await moves.finish(held(eventId), { ...delivered(eventId), outcome, next: { state: 'failed', reason: 'exhausted' } }, false)
  const { deliveries: [delivery] } = (await readEvent(gateway.store, eventId))!
  t.match(delivery, { state: 'retrying', attempts: 1, budgetUsed: 0 })
  t.match(recorded, [{ nextAttemptAt: delivery!.nextAttemptAt }])
  t.strictSame(await redis.zrange(`${keys.queuePrefix}:a:delayed`, '0', '-1'), [jobIdOf(eventId, 1)])
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

t.test('no more are under way than may, however many are asked for or end in one batch', async t => {
  const { gateway: { blocking: { redis }, keys }, gateway } = await setScene(t)
  const moves = createMoves({ subscriber: 'a', batches: createBatches({ redis, keys, recording: RECORDING, limitsOf: () => ({ concurrency: 2, rateLimit: null }) }) })
  for (let n = 0; n < 9; n++) await accepted(gateway, { taskId: `t${n}` })
  const take = async (): Promise<string | undefined> => (await moves.take(TOKEN)).next?.jobId
  let begun = (await Promise.all(Array.from({ length: 8 }, take))).flatMap(id => id ?? [])
  t.equal(begun.length, 2)
  for (let round = 0; round < 3; round++) {
    const ended = begun.map(async id => (await moves.finish({ id, token: TOKEN }, undefined, true)).next?.jobId)
    begun = (await Promise.all([...ended, take(), take()])).flatMap(id => id ?? [])
    t.equal(begun.length, 2, 'as many as ended')
    t.equal(await redis.llen(`${keys.queuePrefix}:a:active`), 2)
  }
})

t.test('what a job is for comes with it, whether it is asked for or follows another', async t => {
  const { gateway, moves } = await setScene(t)
  const [eventId, next] = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  const about = (id: string, taskId: string): object =>
    ({ next: { opened: { event: { id, taskId, revision: 1, contentType: 'application/json' }, delivery: { attempts: 0 } } } })
  t.match(await moves.take(TOKEN), about(eventId, 't1'))
  t.match(await moves.finish(held(eventId), delivered(eventId), true), about(next, 't2'))
})

t.test('a job that is none of ours, or is for nothing, goes without being taken', async t => {
  const { gateway, moves } = await setScene(t)
  const { keys, blocking: { redis } } = gateway
  const queue = new Queue('a', { connection: redis, prefix: keys.queuePrefix })
  t.teardown(async () => { await queue.close() })
  await queue.add('deliver', {}, { jobId: 'strange-1' })
  const [gone, over] = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  const wanted = await accepted(gateway, { taskId: 't3' })
  await redis.del(keys.event(gone))
  await endDelivery(gateway, 'a', over, { state: 'delivered' })
  t.match(await moves.take(TOKEN), { next: { jobId: jobIdOf(wanted, 1) } })
  t.match(await moves.take('worker:2'), { next: null })
  t.equal((await gateway.queues.count('a')).jobs, 1)
})

t.test('a thousand jobs that are for nothing cost no rate limit, and a few calls', async t => {
  const { gateway, moves } = await setScene(t)
  const { keys, blocking: { redis } } = gateway
  const ids = Array.from({ length: 1_200 }, (_, n) => `evt_GONE${n}-1`)
  await redis.lpush(`${keys.queuePrefix}:a:wait`, ...ids)
  const wanted = await accepted(gateway, { taskId: 't1' })
  let calls = 1
  let { next } = await moves.take(TOKEN)
  for (; next === null; calls++) ({ next } = await moves.take(TOKEN))
  t.equal(next.jobId, jobIdOf(wanted, 1))
  t.equal(calls, 3)
  t.equal(await redis.zcard(`${keys.queuePrefix}:a:marker`), 1, 'a worker that waits is woken for what is left')
})

t.test('a job that stands in line twice is sent once', async t => {
  const { gateway, moves } = await setScene(t)
  const { keys, blocking: { redis } } = gateway
  const eventId = await accepted(gateway, { taskId: 't1' })
  await redis.lpush(`${keys.queuePrefix}:a:wait`, jobIdOf(eventId, 1), jobIdOf(eventId, 1))
  t.match(await moves.take(TOKEN), { next: { jobId: jobIdOf(eventId, 1) } })
  t.match(await moves.take('worker:2'), { next: null }, 'not while it is under way')
  await redis.lpush(`${keys.queuePrefix}:a:wait`, jobIdOf(eventId, 1))
  await moves.finish(held(eventId), delivered(eventId), false)
  t.match(await moves.take(TOKEN), { next: null }, 'nor when it is delivered')
  t.equal((await gateway.queues.count('a')).jobs, 0)
})

t.test('a job that comes before its time waits for it', async t => {
  const { gateway, moves } = await setScene(t)
  const { keys, blocking: { redis } } = gateway
  const eventId = await accepted(gateway, { taskId: 't1' })
  await endDelivery(gateway, 'a', eventId, { state: 'retrying', waitMs: 3_600_000 })
  const { next, dueInMs } = await moves.take(TOKEN)
  t.equal(next, null)
  t.ok(dueInMs > 3_000_000 && dueInMs <= 3_600_000, `${dueInMs} ms`)
  t.strictSame(await redis.zrange(`${keys.queuePrefix}:a:delayed`, '0', '-1'), [jobIdOf(eventId, 1)])
})

/** What somebody did to the record of one delivery. */
const CORRUPTED: ReadonlyArray<[says: string, corrupt: (gateway: Gateway, eventId: string) => Promise<unknown>]> = [
  ['is no JSON', async ({ keys, blocking: { redis } }, id) => await redis.hset(keys.event(id), 'd:a', 'not JSON')],
  ['is a list', async ({ keys, blocking: { redis } }, id) => await redis.hset(keys.event(id), 'd:a', '[1]')],
  ['has no generation', async ({ keys, blocking: { redis } }, id) => await redis.hset(keys.event(id), 'd:a', '{"s":"queued"}')],
  ['has a state that nobody knows', async ({ keys, blocking: { redis } }, id) => await redis.hset(keys.event(id), 'd:a', '{"s":"lost","g":1,"n":0,"b":0,"q":1}')],
  ['is not there', async ({ keys, blocking: { redis } }, id) => await redis.hdel(keys.event(id), 'd:a')],
  ['is whole, and its body is lost', async ({ keys, blocking: { redis } }, id) => await redis.del(keys.body(id))]
]
for (const [says, corrupt] of CORRUPTED) {
  t.test(`a delivery whose record ${says} fails once, told, and stops nothing else`, async t => {
    const { gateway, moves, corrupted } = await setScene(t)
    const { keys, store, blocking: { redis } } = gateway
    const broken = await accepted(gateway, { taskId: 't1' })
    const whole = await accepted(gateway, { taskId: 't2' })
    await corrupt(gateway, broken)
    t.match(await moves.take(TOKEN), { next: { jobId: jobIdOf(whole, 1) } })
    t.strictSame(corrupted, [{ eventId: broken, subscriber: 'a' }])
    t.match((await readEvent(store, broken))!.deliveries.find(({ subscriber }) => subscriber === 'a'), { state: 'failed', lastError: 'corrupt' })
    t.strictSame([await redis.zscore(keys.open('a'), broken), await redis.zscore(keys.failed('a'), broken) !== null], [null, true])
    t.equal(await gateway.reconciler().round(), 0)
  })
}

t.test('a job whose attempt cannot be recorded stays where it is, and the others of its batch move', async t => {
  const { gateway, moves, recorded } = await setScene(t)
  const [broken, whole] = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  await moves.take(TOKEN)
  await moves.take(TOKEN)
  await gateway.blocking.redis.hset(gateway.keys.event(broken), 'd:a', JSON.stringify({ s: 'queued', g: 1, n: 0, b: 0, q: 1, r: 'rpl_broken' }))
  await gateway.blocking.redis.set(gateway.keys.replay('rpl_broken'), 'no hash')
  const [first, second] = await Promise.allSettled([broken, whole].map(async eventId => await moves.finish(held(eventId), delivered(eventId), false)))
  t.match(first, { status: 'rejected', reason: { message: /WRONGTYPE/ } })
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
    t.match(await moves.take(TOKEN), { next: { jobId: jobIdOf(eventId, 1) } })
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

t.test('on a full Redis locks are renewed and stalled jobs are taken back', async t => {
  const { gateway, moves } = await setScene(t)
  const { keys, blocking: { redis } } = gateway
  const backend = createBackend(['a', { connection: redis, prefix: keys.queuePrefix, ...WORKER, stalledInterval: 1, maxStalledCount: 1_000 } as never, {}], redis, moves)
  const [held, stalled] = [jobIdOf(await accepted(gateway, { taskId: 't1' }), 1), jobIdOf(await accepted(gateway, { taskId: 't2' }), 1)]
  await moves.take(TOKEN)
  await moves.take(TOKEN)
  await redis.del(`${keys.queuePrefix}:a:${stalled}:lock`)
  await redis.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await redis.config('SET', 'maxmemory', '0') })
  t.strictSame(await backend.extendLocks([held], [TOKEN], 3_600_000), [])
  t.ok(await redis.pttl(`${keys.queuePrefix}:a:${held}:lock`) > WORKER.lockDuration)
  await until('the stalled job waits again', async () => {
    await backend.moveStalledJobsToWait()
    return (await redis.lrange(`${keys.queuePrefix}:a:wait`, 0, -1)).includes(stalled)
  })
})
