/**
 * Replays as they run: exactly once each, over crashes, restarts and several
 * runners; paced, cancelled, counted.
 */
import t, { type Test } from '../support/tap.js'
import type { ReplayOrder } from '../../src/replay/order.js'
import { cancelOrder, placeOrder, finishOrder, listOrders, readOrder, type OrderProgress } from '../../src/replay/orders.js'
import { createOrderRunner, type OrderRunner } from '../../src/replay/run.js'
import { startRedis } from '../support/redis.js'
import {
  accepted, allEvents, callback, endDelivery, giveUp, openGateway, policyFor, recordingDeliver, type Gateway
} from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, names = ['a'], prefix = `p${++prefixes}`): Promise<Gateway> {
  return await openGateway(t, server, { prefix, policy: policyFor(names) })
}

/** A gateway with so many deliveries failed for each subscriber, and empty queues. */
async function withFailed (t: Test, count: number, names = ['a']): Promise<Gateway> {
  const gateway = await open(t, names)
  const { deliver } = recordingDeliver(() => ({ state: 'failed', reason: 'exhausted' }))
  const workers = await gateway.work(deliver)
  await Promise.all(Array.from({ length: count }, async (_, n) => await gateway.accept(callback({ taskId: `t${n}` }))))
  await until('all have failed', async () => {
    const jobs = await Promise.all(names.map(async name => (await gateway.queues.count(name)).jobs))
    return jobs.every(count => count === 0)
  })
  await workers.stop(1_000)
  return gateway
}

const order = (fields: Partial<ReplayOrder> = {}): ReplayOrder => ({ kind: 'replay', filter: {}, state: 'failed', newId: false, ratePerSecond: null, ...fields })

function runnerOf ({ blocking, queues, policy, facts }: Gateway, store = blocking): OrderRunner {
  return createOrderRunner({ store, queues, subscribers: () => policy.subscribers, windowMs: () => 600_000, report: fact => { facts.push(fact) } })
}

async function create ({ blocking }: Gateway, fields: Partial<ReplayOrder> = {}): Promise<string> {
  return await placeOrder(blocking, order(fields))
}

const replayOf = async ({ blocking }: Gateway, id: string): Promise<OrderProgress> => (await readOrder(blocking, id))!
const isDone = (gateway: Gateway, id: string) => async (): Promise<boolean> => (await replayOf(gateway, id)).state === 'done'

t.test('a replay is carried out, delivered and counted', async t => {
  const gateway = await withFailed(t, 30, ['a', 'b'])
  const runner = runnerOf(gateway)
  runner.start()
  const id = await create(gateway)
  runner.wake()
  await until('it is done', isDone(gateway, id))
  await runner.stop()
  t.match(await replayOf(gateway, id), { matched: 60, queued: 60, delivered: 0, failed: 0, finishedAt: Number, order: { state: 'failed' } })

  const { deliver, sent } = recordingDeliver(({ event, subscriber }) =>
    event.taskId === 't7' && subscriber === 'b' ? { state: 'failed', reason: 'exhausted' } : { state: 'delivered' })
  await gateway.work(deliver)
  await until('all are sent', async () => (await replayOf(gateway, id)).delivered === 59)
  t.match(await replayOf(gateway, id), { delivered: 59, failed: 1 })
  t.equal(sent.length, 60)
  t.ok(sent.every(({ replayId, webhookId, generation, attempt }) => replayId === id && webhookId === null && generation === 2 && attempt === 2), 'attempt numbers go on')
  t.match(gateway.facts.findLast(({ fact }) => fact === 'replay.progress'), { replayId: id, queued: 60, matched: 60, state: 'done' })
})

t.test('with new ids each delivery gets one of its own, for good', async t => {
  const gateway = await withFailed(t, 5)
  const runner = runnerOf(gateway)
  runner.start()
  t.teardown(async () => { await runner.stop() })
  const id = await create(gateway, { newId: true })
  runner.wake()
  await until('it is done', isDone(gateway, id))
  const { deliver, sent } = recordingDeliver(({ attempt }) => attempt === 2 ? { state: 'retrying', waitMs: 0 } : { state: 'delivered' })
  await gateway.work(deliver)
  await until('all are delivered', async () => (await replayOf(gateway, id)).delivered === 5)
  const webhookIds = new Map<string, Set<string | null>>()
  for (const { event, webhookId } of sent) webhookIds.set(event.id, (webhookIds.get(event.id) ?? new Set()).add(webhookId))
  t.ok([...webhookIds].every(([eventId, own]) => own.size === 1 && /^evt_[0-9A-Z]{26}$/.test([...own][0]!) && !own.has(eventId)))
  t.equal(new Set([...webhookIds.values()].map(own => [...own][0])).size, 5)
})

t.test('a restart goes on where the last batch ended: once each', async t => {
  const gateway = await withFailed(t, 450)
  const id = await create(gateway, { ratePerSecond: 150 })
  const first = runnerOf(gateway)
  first.start()
  await until('a batch is put back', async () => (await replayOf(gateway, id)).queued > 0)
  await first.stop()
  const { queued, state } = await replayOf(gateway, id)
  t.ok(queued < 450 && state === 'running', `${queued} put back`)
  const second = runnerOf(gateway)
  second.start()
  t.teardown(async () => { await second.stop() })
  await until('it is done', isDone(gateway, id))
  t.equal((await replayOf(gateway, id)).queued, 450)
  t.ok((await allEvents(gateway)).every(({ deliveries }) => deliveries.every(({ generation }) => generation === 2)))
})

t.test('two runners do the work of one', async t => {
  const gateway = await withFailed(t, 450)
  const runners = [runnerOf(gateway), runnerOf(gateway)]
  for (const runner of runners) runner.start()
  t.teardown(async () => { await Promise.all(runners.map(async runner => { await runner.stop() })) })
  const ids = [await create(gateway), await create(gateway)]
  for (const runner of runners) runner.wake()
  for (const id of ids) await until('it is done', isDone(gateway, id))
  const queued = await Promise.all(ids.map(async id => (await replayOf(gateway, id)).queued))
  t.equal(queued[0]! + queued[1]!, 450, 'two replays of the same ones double nothing either')
  t.equal((await gateway.queues.count('a')).jobs, 450)
})

t.test('a runner that crashed loses its replay to another', async t => {
  const gateway = await withFailed(t, 3)
  const id = await create(gateway)
  const { redis } = gateway.blocking
  await redis.set(gateway.keys.replayLock(id), 'somebody who died', 'PX', 10_000)
  const runner = runnerOf(gateway)
  runner.start()
  t.teardown(async () => { await runner.stop() })
  runner.wake()
  t.equal((await replayOf(gateway, id)).queued, 0)
  await redis.pexpire(gateway.keys.replayLock(id), 1)
  await until('it is done', isDone(gateway, id))
  t.equal((await replayOf(gateway, id)).queued, 3)
})

t.test('what fails again during a replay is not put back by it twice', async t => {
  const gateway = await withFailed(t, 250)
  const { deliver, sent } = recordingDeliver(() => ({ state: 'failed', reason: 'exhausted' }))
  await gateway.work(deliver)
  const id = await create(gateway)
  const runner = runnerOf(gateway)
  runner.start()
  t.teardown(async () => { await runner.stop() })
  await until('all have failed again', async () => (await replayOf(gateway, id)).failed === 250)
  await until('it is done', isDone(gateway, id))
  t.equal(sent.length, 250)
  t.match(await replayOf(gateway, id), { queued: 250, failed: 250, delivered: 0 })
})

t.test('what came after the replay was made is not its business', async t => {
  const gateway = await withFailed(t, 2)
  const id = await create(gateway)
  const young = await accepted(gateway, { taskId: 'young' })
  await endDelivery(gateway, 'a', young, { state: 'failed', reason: 'exhausted' })
  const runner = runnerOf(gateway)
  runner.start()
  t.teardown(async () => { await runner.stop() })
  await until('it is done', isDone(gateway, id))
  t.equal((await replayOf(gateway, id)).queued, 2)
})

t.test('a rate is kept, however many runners there are', async t => {
  const gateway = await withFailed(t, 30)
  const id = await create(gateway, { ratePerSecond: 20 })
  const runner = runnerOf(gateway)
  const other = runnerOf(gateway)
  const started = performance.now()
  runner.start()
  t.teardown(async () => { await Promise.all([runner.stop(), other.stop()]) })
  await until('a batch is put back', async () => (await replayOf(gateway, id)).queued >= 20)
  other.start()
  await until('it is done', isDone(gateway, id))
  t.ok(performance.now() - started >= 990, `${performance.now() - started} ms`)
  t.equal((await replayOf(gateway, id)).queued, 30)
})

t.test('a slow replay keeps no other waiting, and is let go at once by stop', async t => {
  const gateway = await withFailed(t, 20, ['a', 'b'])
  const slow = await create(gateway, { filter: { subscribers: ['a'] }, ratePerSecond: 0.01 })
  const runner = runnerOf(gateway)
  runner.start()
  await until('the slow one has begun', async () => (await replayOf(gateway, slow)).queued === 1)
  const quick = await create(gateway, { filter: { subscribers: ['b'] } })
  runner.wake()
  await until('the quick one is done', isDone(gateway, quick))
  t.match(await replayOf(gateway, slow), { state: 'running', queued: 1 })
  await runner.stop()
  t.equal(await gateway.blocking.redis.exists(gateway.keys.replayLock(slow)), 0)
})

t.test('a cancelled replay puts nothing more back, and stays cancelled', async t => {
  const gateway = await withFailed(t, 20)
  const id = await create(gateway, { ratePerSecond: 5 })
  const runner = runnerOf(gateway)
  runner.start()
  t.teardown(async () => { await runner.stop() })
  await until('a batch is put back', async () => (await replayOf(gateway, id)).queued > 0)
  t.match(await cancelOrder(gateway.blocking, id), { state: 'cancelled', finishedAt: Number })
  const { queued } = await replayOf(gateway, id)
  await finishOrder(gateway.blocking, id, 'done')
  const { state } = await replayOf(gateway, id)
  t.equal(state, 'cancelled')
  t.ok(queued < 20, `${queued} were put back`)
  await until('its runner has let go', async () => await gateway.blocking.redis.exists(gateway.keys.replayLock(id)) === 0)
  t.equal((await replayOf(gateway, id)).queued, queued)
})

t.test('a replay that is over cannot be cancelled, and an unknown one is none', async t => {
  const gateway = await open(t)
  const id = await create(gateway)
  await finishOrder(gateway.blocking, id, 'done')
  t.match(await cancelOrder(gateway.blocking, id), { state: 'done' })
  t.equal(await cancelOrder(gateway.blocking, 'rpl_unknown'), null)
  t.equal(await readOrder(gateway.blocking, 'rpl_unknown'), null)
})

t.test('retrying ones become due now', async t => {
  const gateway = await open(t)
  const { deliver, sent } = recordingDeliver(({ attempt }) =>
    attempt === 1 ? { state: 'retrying', waitMs: 86_400_000 } : { state: 'delivered' })
  await gateway.work(deliver)
  await accepted(gateway, { taskId: 't1' })
  await until('it waits for tomorrow', async () => await gateway.blocking.redis.zcard(`${gateway.keys.queuePrefix}:a:delayed`) === 1)
  const id = await create(gateway, { state: 'any' })
  const runner = runnerOf(gateway)
  runner.start()
  t.teardown(async () => { await runner.stop() })
  await until('it is delivered today', async () => (await replayOf(gateway, id)).delivered === 1)
  t.strictSame(sent.map(({ attempt, generation }) => [attempt, generation]), [[1, 1], [2, 1]])
  await until('the queue is empty', async () => (await gateway.queues.count('a')).jobs === 0)
})

t.test('a replay that was forgotten leaves nothing behind', async t => {
  const gateway = await withFailed(t, 3)
  const id = await create(gateway)
  const runner = runnerOf(gateway)
  runner.start()
  await until('it is done', isDone(gateway, id))
  await runner.stop()
  await gateway.blocking.redis.del(gateway.keys.replay(id))
  const [first, second, third] = await allEvents(gateway)
  await endDelivery(gateway, 'a', first!.event.id, { state: 'delivered' }, 2)
  await endDelivery(gateway, 'a', second!.event.id, { state: 'failed', reason: 'expired' }, 2)
  await giveUp(gateway.blocking, [{ eventId: third!.event.id, subscriber: 'a' }])
  t.equal(await gateway.blocking.redis.exists(gateway.keys.replay(id)), 0)
})

t.test('replays are listed newest first, page by page', async t => {
  const gateway = await open(t)
  const ids: string[] = []
  for (let n = 0; n < 5; n++) {
    ids.unshift(await create(gateway))
    await gateway.blocking.redis.zadd(gateway.keys.replays, n, ids[0]!)
  }
  const listed: string[] = []
  let cursor: string | null = null
  do {
    const page: { items: OrderProgress[], next: string | null } = await listOrders(gateway.blocking, { limit: 2, cursor })
    listed.push(...page.items.map(({ id }) => id))
    cursor = page.next
  } while (cursor !== null)
  t.strictSame(listed, ids)
})

t.test('a runner goes on by itself when Redis was away', async t => {
  const own = await startRedis()
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a']) })
  for (let n = 0; n < 4; n++) {
    await endDelivery(gateway, 'a', await accepted(gateway, { taskId: `t${n}` }), { state: 'failed', reason: 'exhausted' })
  }
  const id = await create(gateway, { ratePerSecond: 2 })
  const runner = runnerOf(gateway, gateway.store)
  runner.start()
  t.teardown(async () => { await runner.stop() })
  await until('a batch is put back', async () => (await replayOf(gateway, id)).queued > 0)
  await own.kill()
  await until('its looks and its replay have failed', () => gateway.facts.filter(fact => fact.fact === 'queue.trouble' && fact.subscriber === null).length >= 3)
  await own.restart()
  await until('it is done', isDone(gateway, id))
  t.equal((await replayOf(gateway, id)).queued, 4)
})
