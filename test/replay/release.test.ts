/**
 * What events hold back is let go or given up, by an operator: of one at once,
 * of many by an order.
 */
import type { Redis } from 'ioredis'
import t, { type Test } from '../support/tap.js'
import { setHold } from '../../src/record/holds.js'
import { readEvent } from '../../src/record/read-event.js'
import { countSoFar } from '../../src/replay/count.js'
import type { ReleaseOrder } from '../../src/replay/order.js'
import { placeOrder, readOrder, type OrderProgress } from '../../src/replay/orders.js'
import { discardEvent, releaseEvent } from '../../src/replay/release.js'
import { createOrderRunner } from '../../src/replay/run.js'
import { startRedis } from '../support/redis.js'
import { callsDuring } from '../record/calls.js'
import { accepted, allEvents, endDelivery, hasJob, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
/** A gateway with an event held by conflict. */
async function withHeld (t: Test): Promise<{ gateway: Gateway, held: string }> {
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b'], { onConflict: 'hold' }) })
  await accepted(gateway, { taskId: 't1', url: 'one' })
  return { gateway, held: await accepted(gateway, { taskId: 't1', url: 'two' }) }
}

t.test('a released event is delivered to everyone, once', async t => {
  const { gateway, held } = await withHeld(t)
  const released = await Promise.all([releaseEvent(gateway.blocking, gateway.queues, held), releaseEvent(gateway.blocking, gateway.queues, held)])
  t.strictSame(released.sort(), [0, 2], 'to release it twice at once is to release it')
  t.equal(await releaseEvent(gateway.blocking, gateway.queues, held), 0)
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('the queues are empty', async () => (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  t.strictSame(sent.filter(({ event }) => event.id === held).map(({ subscriber, replayId }) => [subscriber, replayId]).sort(), [['a', null], ['b', null]])
  t.match((await readEvent(gateway.store, held))!.deliveries, [{ state: 'delivered', heldBy: null }, { state: 'delivered', heldBy: null }])
})

t.test('a discarded event is delivered to nobody any more, and what was delivered stays so', async t => {
  const { gateway, held } = await withHeld(t)
  await releaseEvent(gateway.blocking, gateway.queues, held)
  await endDelivery(gateway, 'a', held, { state: 'delivered' }, 2)
  t.equal(await discardEvent(gateway.blocking, held), 1)
  t.notOk(await hasJob(gateway, 'b', held, 2), 'nor does its job stand before others')
  t.equal(await discardEvent(gateway.blocking, held), 0)
  t.match((await readEvent(gateway.store, held))!.deliveries, [{ state: 'delivered' }, { state: 'discarded' }])
  t.ok(await gateway.blocking.redis.zscore(gateway.keys.ended, held))
})

t.test('an unknown event is neither', async t => {
  const { gateway } = await withHeld(t)
  t.equal(await releaseEvent(gateway.blocking, gateway.queues, 'evt_unknown'), null)
  t.equal(await discardEvent(gateway.blocking, 'evt_unknown'), null)
})

/** Counted as a dry run does, then carried out. */
async function carriedOut (gateway: Gateway, filter: ReleaseOrder['filter']): Promise<OrderProgress> {
  const { blocking: store, queues, policy } = gateway
  const order: ReleaseOrder = { kind: 'release', filter }
  const dry = await countSoFar(store, order, { subscribers: policy.subscribers })
  const id = await placeOrder(store, order)
  const runner = createOrderRunner({ store, queues, subscribers: () => policy.subscribers, windowMs: () => 1, report: fact => { gateway.facts.push(fact) } })
  runner.start()
  await until('it is done', async () => (await readOrder(store, id))!.state === 'done')
  await runner.stop()
  const done = (await readOrder(store, id))!
  if (dry.matched !== done.matched || dry.atLeast === true) throw new Error(`a dry run counts ${JSON.stringify(dry)}, not ${done.matched}`)
  return done
}

/** Three events held by conflict, for both subscribers, and three that are not held. */
async function withManyHeld (t: Test): Promise<Gateway> {
  const { gateway } = await withHeld(t)
  for (const taskId of ['t2', 't3']) for (const url of ['one', 'two']) await accepted(gateway, { taskId, url })
  return gateway
}

const RELEASES: ReadonlyArray<[says: string, filter: ReleaseOrder['filter'], released: string[]]> = [
  ['everything that is held', {}, ['a t1', 'a t2', 'a t3', 'b t1', 'b t2', 'b t3']],
  ['that of one subscriber', { subscribers: ['b'] }, ['b t1', 'b t2', 'b t3']],
  ['that of some tasks', { taskIds: ['t1', 't3'] }, ['a t1', 'a t3', 'b t1', 'b t3']],
  ['nothing, when nothing fits', { types: ['video'] }, []]
]
for (const [says, filter, released] of RELEASES) {
  t.test(`a release lets go ${says}, and nothing that its subscriber's hold keeps`, async t => {
    const gateway = await withManyHeld(t)
    await setHold(gateway.blocking, 'b', 'pause')
    t.match(await carriedOut(gateway, filter), { kind: 'release', matched: released.length, queued: released.length, delivered: 0 })
    const letGo = (await allEvents(gateway)).flatMap(({ event, deliveries }) =>
      deliveries.filter(({ generation }) => generation === 2).map(({ subscriber, state, replayId }) => `${subscriber} ${event.taskId} ${state} ${replayId}`))
    t.strictSame(letGo.sort(), released.map(name => `${name} queued null`))
    t.match(gateway.facts.findLast(({ fact }) => fact === 'release.progress'), { queued: released.length, state: 'done' })
  })
}

t.test('a release costs what it touches, however much waits', async t => {
  const cost = async (waiting: number): Promise<number> => {
    const gateway = await withManyHeld(t)
    const { blocking: { redis }, keys } = gateway
    for (let n = 0; n < waiting; n += 1_000) {
      await redis.zadd(keys.open('a'), ...Array.from({ length: 1_000 }, (_, at) => [n + at, `evt_WAITS${n + at}`]).flat())
    }
    const calls = await callsDuring(redis as Redis, async () => { t.match(await carriedOut(gateway, { types: ['avatar'] }), { queued: 6 }) })
    return calls.of('hmget', 'hget', 'hset', 'zadd', 'zrem', 'exists')
  }
  const few = await cost(1_000)
  const many = await cost(20_000)
  t.ok(many <= 1.2 * few, `${few} calls with 1,000 waiting, ${many} with 20,000`)
})
