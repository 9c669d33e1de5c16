/**
 * The queue is mended from the record: every open delivery has a job, every
 * subscriber on hold a queue that waits.
 */
import t, { type Test } from '../support/tap.js'
import { jobIdOf } from '../../src/model/delivery.js'
import { releaseEvent } from '../../src/replay/release.js'
import { startRedis } from '../support/redis.js'
import { accepted, endDelivery, giveUp, hasJob, loseJob, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, names = ['a', 'b'], dedupe = {}): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names, dedupe) })
}

t.test('a missing job is added by one round, and told', async t => {
  const gateway = await open(t)
  const ids = [await accepted(gateway, { taskId: 't1' }), await accepted(gateway, { taskId: 't2' })]
  await loseJob(gateway, 'a', ids[0]!)
  const reconciler = gateway.reconciler()
  t.equal(await reconciler.round(), 1)
  t.equal(await hasJob(gateway, 'a', ids[0]!), true)
  t.strictSame(gateway.facts.filter(({ fact }) => fact === 'queue.reconciled'), [{ fact: 'queue.reconciled', subscriber: 'a', added: 1 }])
  t.equal(await reconciler.round(), 0)
})

t.test('the job of the present generation is added, and of open deliveries only', async t => {
  const gateway = await open(t, ['a'], { onConflict: 'hold' })
  const over = await accepted(gateway, { taskId: 't1', url: 'one' })
  const released = await accepted(gateway, { taskId: 't1', url: 'two' })
  const held = await accepted(gateway, { taskId: 't1', url: 'three' })
  const retrying = await accepted(gateway, { taskId: 't2' })
  await endDelivery(gateway, 'a', over, { state: 'delivered' })
  await endDelivery(gateway, 'a', retrying, { state: 'retrying', waitMs: 0 })
  await releaseEvent(gateway.blocking, gateway.queues, released)
  for (const id of [over, released, held, retrying]) await loseJob(gateway, 'a', id)
  await loseJob(gateway, 'a', released, 2)
  t.equal(await gateway.reconciler().round(), 2)
  t.strictSame(await Promise.all([
    hasJob(gateway, 'a', released, 2), hasJob(gateway, 'a', retrying), hasJob(gateway, 'a', released), hasJob(gateway, 'a', over), hasJob(gateway, 'a', held)
  ]), [true, true, false, false, false])
})

t.test('jobs being worked on are not missing', async t => {
  const gateway = await open(t, ['a'])
  let finish = (): void => {}
  const { deliver, sent } = recordingDeliver(async () => {
    await new Promise<void>(resolve => { finish = resolve })
    return { state: 'delivered' }
  })
  await gateway.work(deliver)
  await accepted(gateway, { taskId: 't1' })
  await until('it is in flight', () => sent.length === 1)
  t.equal(await gateway.reconciler().round(), 0)
  finish()
  await until('it is finished', async () => (await gateway.queues.count('a')).jobs === 0)
  t.equal(sent.length, 1)
})

t.test('a long queue is walked as soon as it has fewer jobs than open deliveries', async t => {
  const gateway = await open(t, ['a'])
  const ids = await Promise.all(Array.from({ length: 30 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  const reconciler = gateway.reconciler({ small: 10, step: 4 })
  t.equal(await reconciler.round(), 0)
  await loseJob(gateway, 'a', ids[3]!)
  await loseJob(gateway, 'a', ids[29]!)
  t.equal(await reconciler.round(), 2)
})

t.test('a long queue is walked bit by bit even when other jobs make up the number', async t => {
  const gateway = await open(t, ['a'])
  const ids = await Promise.all(Array.from({ length: 30 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  await giveUp(gateway.blocking, ids.slice(0, 5).map(eventId => ({ eventId, subscriber: 'a' })))
  await loseJob(gateway, 'a', ids[20]!)
  const reconciler = gateway.reconciler({ small: 10, step: 5 })
  const rounds: number[] = []
  for (let n = 0; n < 12; n++) rounds.push(await reconciler.round())
  t.equal(rounds.slice(0, 6).reduce((sum, added) => sum + added, 0), 1, 'in as many rounds as it takes to see them all')
  t.equal(rounds.reduce((sum, added) => sum + added, 0), 1, 'and again from the start, where nothing is missing')
})

t.test('a long queue that is being worked off is not walked: nothing is missing', async t => {
  const gateway = await open(t, ['a'])
  const { deliver, sent } = recordingDeliver(async () => ({ state: 'delivered' }))
  await Promise.all(Array.from({ length: 1_000 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  let looks = 0
  const counting = new Proxy(gateway.blocking.redis, {
    get (redis, name) {
      if (name === 'relay-mendBuffer') looks++
      const member = Reflect.get(redis, name) as unknown
      return typeof member === 'function' ? member.bind(redis) as unknown : member
    }
  })
  const reconciler = gateway.reconciler({ small: 10, step: 10, redis: counting })
  let rounds = 0
  await gateway.work(deliver)
  while (sent.length < 950) {
    await reconciler.round()
    rounds++
  }
  t.ok(rounds > 2, `${rounds} rounds`)
  t.ok(looks > 0 && looks <= rounds, `${looks} looks in them`)
})

t.test('thousands of missing jobs are added in one round', async t => {
  const gateway = await open(t, ['a'])
  const { keys, blocking: { redis } } = gateway
  const pipeline = redis.pipeline()
  for (let n = 0; n < 4_500; n++) {
    const id = 'evt_' + String(n).padStart(26, '0')
    pipeline.hset(keys.event(id), { task: 't', 'd:a': JSON.stringify({ s: 'queued', g: 3, n: 0, b: 0, q: 1 }) })
    pipeline.zadd(keys.open('a'), 1_700_000_000_000_000 + n, id)
  }
  await pipeline.exec()
  t.equal(await gateway.reconciler().round(), 4_500)
  t.equal((await gateway.queues.count('a')).jobs, 4_500)
})

/** What becomes of a queue's keys, while its jobs exist. */
const LOST: ReadonlyArray<[says: string, lose: (gateway: Gateway, jobs: string[]) => Promise<unknown>, missing: number]> = [
  ['the line of jobs that wait', async ({ keys, blocking: { redis } }) => await redis.del(`${keys.queuePrefix}:a:wait`), 20],
  ['one entry of it', async ({ keys, blocking: { redis } }, [job]) => await redis.lrem(`${keys.queuePrefix}:a:wait`, 0, job!), 1],
  ['every key of the queue', async ({ keys, blocking: { redis } }) => await redis.del(...await redis.keys(`${keys.queuePrefix}:a:*`)), 20],
  ['a job that a stranger finished', async ({ keys, blocking: { redis } }, [job]) =>
    await redis.multi().lrem(`${keys.queuePrefix}:a:wait`, 0, job!).zadd(`${keys.queuePrefix}:a:completed`, 1, job!).exec(), 1]
]
for (const [says, lose, missing] of LOST) {
  for (const [size, small] of [['short', 100], ['long', 5]] as const) {
    t.test(`lost: ${says} of a ${size} queue: each open delivery is in line again, once, and sent`, async t => {
      const gateway = await open(t, ['a'])
      const ids = await Promise.all(Array.from({ length: 20 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
      await lose(gateway, ids.map(id => jobIdOf(id, 1)))
      const reconciler = gateway.reconciler({ small, step: 7 })
      let sum = 0
      for (let rounds = 0; rounds < 3; rounds++) sum += await reconciler.round()
      t.equal(sum, missing)
      t.equal((await gateway.queues.count('a')).jobs, 20)
      const { deliver, sent } = recordingDeliver()
      await gateway.work(deliver)
      await until('all are sent', async () => (await gateway.queues.count('a')).open === 0)
      t.equal(sent.length, 20)
    })
  }
}

t.test('a line that was lost is made again on a full Redis too', async t => {
  const gateway = await open(t, ['a'])
  const { keys, blocking: { redis } } = gateway
  for (let n = 0; n < 5; n++) await accepted(gateway, { taskId: `t${n}` })
  await redis.del(`${keys.queuePrefix}:a:wait`)
  await redis.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await redis.config('SET', 'maxmemory', '0') })
  t.equal(await gateway.reconciler().round(), 5)
  t.strictSame(gateway.facts.filter(({ fact }) => fact === 'queue.trouble'), [])
})

t.test('a delivery that waits for its time stays where it is when the line is made anew', async t => {
  const gateway = await open(t, ['a'])
  const ids = await Promise.all(Array.from({ length: 10 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  let later = true
  const { deliver, sent } = recordingDeliver(() => later ? { state: 'retrying', waitMs: 3_600_000 } : { state: 'delivered' })
  const workers = await gateway.work(deliver)
  await until('all wait for their time', async () => sent.length === 10 && (await gateway.queues.count('a')).waiting === 0)
  await workers.stop(1_000)
  later = false
  const { keys, blocking: { redis } } = gateway
  await redis.zrem(`${keys.queuePrefix}:a:delayed`, jobIdOf(ids[0]!, 1))
  const reconciler = gateway.reconciler({ small: 5 })
  for (let rounds = 0; rounds < 3; rounds++) await reconciler.round()
  t.match(await gateway.queues.count('a'), { jobs: 10, waiting: 1, open: 10 })
})

t.test('trouble with one queue keeps no other from being mended', async t => {
  const gateway = await open(t)
  const id = await accepted(gateway, { taskId: 't1' })
  await loseJob(gateway, 'a', id)
  await loseJob(gateway, 'b', id)
  const { redis } = gateway.blocking
  for (const name of ['a', 'b']) {
    const delayed = `${gateway.keys.queuePrefix}:${name}:delayed`
    await redis.set(delayed, 'of a wrong type')
    await gateway.reconciler().round().catch(() => {})
    const other = name === 'a' ? 'b' : 'a'
    t.equal(await hasJob(gateway, other, id), true, other)
    await redis.del(delayed)
    t.equal(await gateway.reconciler().round(), 1, 'and it is mended when the trouble is over')
    await loseJob(gateway, 'a', id)
    await loseJob(gateway, 'b', id)
  }
  t.match(gateway.facts.find(({ fact }) => fact === 'queue.trouble'), { subscriber: 'a', error: /WRONGTYPE/ })
})

t.test('started, it mends by itself; stopped, it ends', async t => {
  const gateway = await open(t, ['a'])
  const id = await accepted(gateway, { taskId: 't1' })
  await loseJob(gateway, 'a', id)
  const reconciler = gateway.reconciler()
  reconciler.start()
  await until('the job is there', async () => await hasJob(gateway, 'a', id))
  await reconciler.stop()
})
