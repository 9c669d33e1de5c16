/**
 * Discards as they run: in the background, exactly what was meant, over
 * crashes, restarts and several runners, at a cost that does not depend on
 * what else there is.
 */
import t, { type Test } from '../support/tap.js'
import type { DeliveryState } from '../../src/model/delivery.js'
import { setHold } from '../../src/record/holds.js'
import { readEvent } from '../../src/record/read-event.js'
import type { Filter } from '../../src/record/select.js'
import { countSoFar } from '../../src/replay/count.js'
import { discardDeliveries } from '../../src/replay/discard.js'
import { DISCARDABLE, type DiscardOrder, type Meant } from '../../src/replay/order.js'
import { cancelOrder, placeOrder, readOrder, runningOrders, type OrderProgress } from '../../src/replay/orders.js'
import { createOrderRunner, type OrderRunner } from '../../src/replay/run.js'
import type { Redis } from 'ioredis'
import { callsDuring } from '../record/calls.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, endDelivery, hasJob, openGateway, policyFor, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, names = ['a']): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names) })
}

async function withQueued (t: Test, count: number, names = ['a']): Promise<{ gateway: Gateway, ids: string[] }> {
  const gateway = await open(t, names)
  return { gateway, ids: await Promise.all(Array.from({ length: count }, async (_, n) => await accepted(gateway, { taskId: `t${n}` }))) }
}

const FAILED = { state: 'failed', reason: 'exhausted' } as const

function orderOf (filter: Filter = {}, states: readonly DeliveryState[] = DISCARDABLE): DiscardOrder {
  return { kind: 'discard', filter: { ...filter, states: [...states] } }
}

function runnerOf (t: Test, { blocking: store, queues, policy, facts }: Gateway): OrderRunner {
  const runner = createOrderRunner({ store, queues, subscribers: () => policy.subscribers, windowMs: () => 600_000, report: fact => { facts.push(fact) } })
  t.teardown(async () => { await runner.stop() })
  return runner
}

const progressOf = async ({ blocking }: Gateway, id: string): Promise<OrderProgress> => (await readOrder(blocking, id))!

async function carriedOut (t: Test, gateway: Gateway, order: DiscardOrder): Promise<OrderProgress> {
  const id = await placeOrder(gateway.blocking, order)
  const runner = runnerOf(t, gateway)
  runner.start()
  await until('it is done', async () => (await progressOf(gateway, id)).state === 'done')
  await runner.stop()
  return await progressOf(gateway, id)
}

async function statesOf (gateway: Gateway): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { deliveries } of await allEvents(gateway)) for (const { state } of deliveries) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

t.test('a discard is taken at once, counted, and gives up just what it means', async t => {
  const { gateway, ids } = await withQueued(t, 30, ['a', 'b'])
  for (const eventId of ids.slice(0, 20)) await endDelivery(gateway, 'a', eventId, FAILED)
  for (const eventId of ids.slice(0, 5)) await endDelivery(gateway, 'b', eventId, FAILED)
  const id = await placeOrder(gateway.blocking, orderOf({ subscribers: ['a'] }, ['failed']))
  t.match(await progressOf(gateway, id), { state: 'running', matched: null, discarded: 0 })
  t.strictSame(await runningOrders(gateway.blocking), [id])
  const young = await accepted(gateway, { taskId: 'young' })
  await endDelivery(gateway, 'a', young, FAILED)
  const runner = runnerOf(t, gateway)
  runner.start()
  await until('it is done', async () => (await progressOf(gateway, id)).state === 'done')
  t.match(await progressOf(gateway, id), { discarded: 20, queued: 0, finishedAt: Number })
  t.strictSame(await statesOf(gateway), { discarded: 20, queued: 36, failed: 6 }, 'and nothing that came after it was placed')
  t.strictSame(await runningOrders(gateway.blocking), [])
  t.match(gateway.facts.findLast(({ fact }) => fact === 'discard.progress'), { orderId: id, discarded: 20, state: 'done' })
})

const COUNTED: ReadonlyArray<[says: string, filter: Filter, states: readonly DeliveryState[], matched: number]> = [
  ['whatever can be discarded', {}, DISCARDABLE, 12],
  ['what failed', {}, ['failed'], 2],
  ['what waits, for whatever reason', {}, ['queued', 'retrying', 'held'], 10],
  ['what is shown as held', {}, ['held'], 5],
  ['what is retrying', { subscribers: ['a'] }, ['retrying'], 1],
  ['of a type', { types: ['avatar'] }, ['failed'], 2]
]
for (const [says, filter, states, matched] of COUNTED) {
  t.test(`what a dry run counts is what is discarded: ${says}`, async t => {
    const { gateway, ids } = await withQueued(t, 7, ['a', 'b'])
    await endDelivery(gateway, 'a', ids[0]!, FAILED)
    await endDelivery(gateway, 'a', ids[1]!, { state: 'delivered' })
    await endDelivery(gateway, 'a', ids[2]!, { state: 'retrying', waitMs: 86_400_000 })
    await endDelivery(gateway, 'b', ids[0]!, FAILED)
    await endDelivery(gateway, 'b', ids[1]!, { state: 'delivered' })
    await setHold(gateway.blocking, 'b', 'pause')
    t.strictSame(await countSoFar(gateway.blocking, orderOf(filter, states), { subscribers: gateway.policy.subscribers }), { matched })
    t.match(await carriedOut(t, gateway, orderOf(filter, states)), { matched, discarded: matched })
  })
}

t.test('a dry run counts on as far as there is anything, and is exact below where it stops', async t => {
  const { gateway } = await withQueued(t, 30)
  const { blocking: { redis }, keys } = gateway
  const order = orderOf({ types: ['avatar'] })
  const count = async (bounds: { counts?: number, signal?: AbortSignal }): Promise<object> =>
    await countSoFar(gateway.blocking, order, { subscribers: gateway.policy.subscribers, ...bounds })
  t.strictSame(await count({}), { matched: 30 })
  t.strictSame(await count({ counts: 10 }), { matched: 30 }, 'it had come to the end all the same')
  const [newest] = await redis.zrevrange(keys.open('a'), 0, 0, 'WITHSCORES').then(([, score]) => [Number(score)])
  for (let n = 0; n < 205_000; n += 5_000) {
    await redis.zadd(keys.open('a'), ...Array.from({ length: 5_000 }, (_, at) => [newest! + 1 + n + at, `evt_GONE${n + at}`]).flat())
  }
  t.strictSame(await count({}), { matched: 30 }, 'which lie behind more than two hundred thousand others')
  t.strictSame(await count({ signal: AbortSignal.abort() }), { matched: 0, atLeast: true }, 'nobody waits for it')
})

t.test('a dry run that has come to its number says that there may be more', async t => {
  const { gateway } = await withQueued(t, 1_100)
  const first = await countSoFar(gateway.blocking, orderOf({ types: ['avatar'] }), { subscribers: gateway.policy.subscribers, counts: 400 })
  t.ok(first.atLeast === true && first.matched >= 400 && first.matched < 1_100, `${first.matched} counted`)
  t.strictSame(await countSoFar(gateway.blocking, orderOf({ types: ['avatar'] }), { subscribers: gateway.policy.subscribers }), { matched: 1_100 })
})

t.test('a restart goes on where the last batch ended, and several runners do the work of one', async t => {
  const { gateway } = await withQueued(t, 900)
  const id = await placeOrder(gateway.blocking, orderOf({ types: ['avatar'] }))
  const first = runnerOf(t, gateway)
  first.start()
  await until('a batch is given up', async () => (await progressOf(gateway, id)).discarded > 0)
  await first.stop()
  const { discarded, state, matched } = await progressOf(gateway, id)
  t.ok(discarded < 900 && state === 'running', `${discarded} given up`)
  t.equal(matched, 900)
  for (const runner of [runnerOf(t, gateway), runnerOf(t, gateway)]) runner.start()
  await until('it is done', async () => (await progressOf(gateway, id)).state === 'done')
  t.match(await progressOf(gateway, id), { matched: 900, discarded: 900 })
  t.strictSame(await statesOf(gateway), { discarded: 900 })
})

t.test('one that was cancelled gives nothing more up, not even a batch under way', async t => {
  const { gateway, ids } = await withQueued(t, 3)
  const id = await placeOrder(gateway.blocking, orderOf())
  t.match(await cancelOrder(gateway.blocking, id), { state: 'cancelled' })
  const meant = ids.map(eventId => ({ eventId, subscriber: 'a', state: 'queued', generation: 1 } as const))
  t.equal(await discardDeliveries(gateway.blocking, meant, { orderId: id, states: DISCARDABLE, cursor: 0 }), 0)
  t.strictSame(await statesOf(gateway), { queued: 3 })
})

t.test('what has changed since it was found is left alone, unless it still fits', async t => {
  const { gateway, ids } = await withQueued(t, 4)
  const [ended, again, waits, forever] = ids as [string, string, string, string]
  const found = (eventId: string, state: DeliveryState, generation = 1): Meant => ({ eventId, subscriber: 'a', state, generation })
  await endDelivery(gateway, 'a', ended, { state: 'delivered' })
  await endDelivery(gateway, 'a', again, FAILED)
  await endDelivery(gateway, 'a', waits, { state: 'retrying', waitMs: 86_400_000 })
  const WAITING = ['queued', 'retrying'] as const
  const discard = async (meant: Meant): Promise<number> => await discardDeliveries(gateway.blocking, [meant], { orderId: null, states: WAITING })
  t.equal(await discard(found(ended, 'queued')), 0, 'it is delivered')
  t.equal(await discard(found(again, 'queued')), 0, 'it failed, which was not meant')
  t.equal(await discard(found(again, 'failed', 2)), 0, 'it is of another generation')
  t.equal(await discard(found(waits, 'queued')), 1, 'it waits for another attempt, and waiting is meant')
  t.notOk(await hasJob(gateway, 'a', waits))
  t.equal(await discard(found(forever, 'queued')), 1)
  t.strictSame(await statesOf(gateway), { delivered: 1, failed: 1, discarded: 2 })
  t.equal(await gateway.blocking.redis.zcard(`${gateway.keys.queuePrefix}:a:delayed`), 0)
})

t.test('a job in flight is left to whoever holds it', async t => {
  const { gateway, ids } = await withQueued(t, 1)
  const { blocking: { redis }, keys } = gateway
  await redis.set(`${keys.queuePrefix}:a:${ids[0]!}-1:lock`, 'worker', 'PX', 60_000)
  t.match(await carriedOut(t, gateway, orderOf({ types: ['avatar'] })), { discarded: 1 })
  t.match((await readEvent(gateway.blocking, ids[0]!))!.deliveries, [{ state: 'discarded' }])
})

t.test('it costs the same however many wait: no line is ever searched', async t => {
  const cost = async (waiting: number): Promise<number> => {
    const { gateway, ids } = await withQueued(t, 300)
    const [failed, queued] = [ids.slice(0, 150), ids.slice(150)]
    for (const eventId of failed) await endDelivery(gateway, 'a', eventId, FAILED)
    const { blocking: { redis }, keys } = gateway
    for (let n = 0; n < waiting; n += 1_000) {
      await redis.lpush(`${keys.queuePrefix}:a:wait`, ...Array.from({ length: 1_000 }, (_, at) => `evt_WAITS${n + at}-1`))
      await redis.zadd(keys.open('a'), ...Array.from({ length: 1_000 }, (_, at) => [n + at, `evt_WAITS${n + at}`]).flat())
    }
    const calls = await callsDuring(redis as Redis, async () => {
      t.match(await carriedOut(t, gateway, orderOf({ subscribers: ['a'] }, ['failed'])), { discarded: 150 })
      t.match(await carriedOut(t, gateway, orderOf({ eventIds: queued })), { discarded: 150 })
    })
    t.equal(calls.of('lrem', 'lpos', 'lrange', 'lindex', 'linsert'), 0)
    t.equal(await redis.llen(`${keys.queuePrefix}:a:wait`), 300 + waiting)
    return calls.of('eval', 'evalsha', 'hset', 'zrem', 'del', 'exists', 'hincrby', 'zadd', 'hget')
  }
  const few = await cost(1_000)
  const many = await cost(20_000)
  t.ok(many <= 1.2 * few, `${few} calls with 1,000 waiting, ${many} with 20,000 waiting`)
})

t.test('to take an order costs the same however much there is', async t => {
  const cost = async (events: number): Promise<number> => {
    const { gateway } = await withQueued(t, events)
    return (await callsDuring(gateway.blocking.redis as Redis, async () => { await placeOrder(gateway.blocking, orderOf({ types: ['x'] })) })).all
  }
  t.equal(await cost(1_200), await cost(2))
})

t.test('while Redis is full, orders to discard are taken and carried out: they make room', async t => {
  const own = await startRedis(['--appendfsync', 'no'])
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a']) })
  for (let n = 0; n < 5; n++) await accepted(gateway, { taskId: `t${n}` })
  await gateway.blocking.redis.config('SET', 'maxmemory', '1')
  t.match(await carriedOut(t, gateway, orderOf({ types: ['avatar'] })), { state: 'done', matched: 5, discarded: 5 })
})
