/**
 * Purges: what is deleted is deleted everywhere, whatever was still owed of
 * it, and does not come back.
 */
import t, { type Test } from '../support/tap.js'
import type { PurgeOrder } from '../../src/replay/order.js'
import { countSoFar } from '../../src/replay/count.js'
import { cancelOrder, placeOrder, readOrder, type OrderProgress } from '../../src/replay/orders.js'
import { createOrderRunner, type OrderRunner } from '../../src/replay/run.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, callback, endDelivery, openGateway, policyFor, recordAttempt, attemptOf, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no', '--rdbcompression', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b'], { onConflict: 'hold' }) })
}

const orderOf = (filter: PurgeOrder['filter']): PurgeOrder => ({ kind: 'purge', filter })

function runnerOf (t: Test, { blocking: store, queues, policy, facts }: Gateway): OrderRunner {
  const runner = createOrderRunner({ store, queues, subscribers: () => policy.subscribers, windowMs: () => policy.dedupe.windowMs, report: fact => { facts.push(fact) } })
  t.teardown(async () => { await runner.stop() })
  return runner
}

async function carriedOut (t: Test, gateway: Gateway, order: PurgeOrder): Promise<OrderProgress> {
  const dry = await countSoFar(gateway.blocking, order, { subscribers: gateway.policy.subscribers })
  const id = await placeOrder(gateway.blocking, order)
  const runner = runnerOf(t, gateway)
  runner.start()
  await until('it is done', async () => (await readOrder(gateway.blocking, id))!.state === 'done')
  await runner.stop()
  const done = (await readOrder(gateway.blocking, id))!
  t.strictSame(dry, { matched: done.matched })
  return done
}

/** One event in each state, of the task and the tenant that are to be forgotten; an attempt of each holds what was answered. */
async function withSecrets (gateway: Gateway): Promise<void> {
  const fields = (n: number): object => ({ businessId: 'tenant-SECRET', note: `SECRET ${n}` })
  const task = (n: number): string => `task-SECRET-${n}`
  const [failed, delivered, retrying] = [
    await accepted(gateway, { taskId: task(1), ...fields(1) }), await accepted(gateway, { taskId: task(2), ...fields(2) }), await accepted(gateway, { taskId: task(3), ...fields(3) })
  ]
  await accepted(gateway, { taskId: task(1), ...fields(4) }) // held: conflict
  for (const [eventId, state] of [[failed, { state: 'failed', reason: 'exhausted' }], [delivered, { state: 'delivered' }], [retrying, { state: 'retrying', waitMs: 86_400_000 }]] as const) {
    for (const subscriber of ['a', 'b']) {
      const attempt = attemptOf({ error: 'refused', responseExcerpt: 'SECRET said the subscriber' })
      await recordAttempt(gateway.blocking, { eventId, subscriber, generation: 1, attempt, outcome: null, usesBudget: true, next: state })
    }
  }
}

/** Every key of the gateway that holds a text somewhere, its name included. */
async function keysWith ({ blocking: { redis }, keys }: Gateway, text: string): Promise<string[]> {
  const found = []
  for (const key of await redis.keys(`{${keys.prefix}}:*`)) {
    if (key.includes(text) || (await redis.dumpBuffer(key)).includes(text)) found.push(key)
  }
  return found
}

t.test('of what is purged nothing is left that arrived or was answered, whatever was still owed of it', async t => {
  const gateway = await open(t)
  await withSecrets(gateway)
  const other = await accepted(gateway, { taskId: 'other', businessId: 'tenant-2' })
  t.ok((await keysWith(gateway, 'SECRET')).length > 8, 'it was there')
  t.match(await carriedOut(t, gateway, orderOf({ businessIds: ['tenant-SECRET'] })), { kind: 'purge', matched: 4, purged: 4, order: null })
  t.strictSame(await keysWith(gateway, 'SECRET'), [])
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.id), [other])
  for (const name of ['a', 'b']) t.equal((await gateway.queues.count(name)).open, 1)
  t.match(gateway.facts.findLast(({ fact }) => fact === 'purge.progress'), { purged: 4, matched: 4, state: 'done' })
})

t.test('a repeat of what was purged is still a repeat', async t => {
  const gateway = await open(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  t.match(await carriedOut(t, gateway, orderOf({ taskIds: ['t1'] })), { purged: 1 })
  t.match(await gateway.accept(callback({ taskId: 't1' })), { kind: 'duplicate', eventId })
  t.strictSame(await allEvents(gateway), [])
})

const TABLE: ReadonlyArray<[says: string, filter: PurgeOrder['filter'], left: string[]]> = [
  ['by task', { taskIds: ['t1', 't3'] }, ['t2']],
  ['by tenant', { businessIds: ['x'] }, ['t3']],
  ['by age', { until: 2_000 }, ['t2', 't3']],
  ['by all of them at once', { businessIds: ['x'], until: 2_000 }, ['t2', 't3']],
  ['none, when none fits', { taskIds: ['t9'] }, ['t1', 't2', 't3']]
]
for (const [says, filter, left] of TABLE) {
  t.test(`events are purged ${says}, and no others`, async t => {
    const gateway = await open(t)
    for (const [n, businessId] of ['x', 'x', 'y'].entries()) {
      await accepted(gateway, { taskId: `t${n + 1}`, businessId }, { receivedAt: n === 0 ? 1_000 : Date.now() })
    }
    // By which clock it came: that of Redis, whatever the gateway's said.
    const events = await allEvents(gateway)
    await gateway.blocking.redis.hset(gateway.keys.event(events.find(({ event }) => event.taskId === 't1')!.event.id), 'arr', 1_000)
    await carriedOut(t, gateway, orderOf(filter))
    t.strictSame((await allEvents(gateway)).map(({ event }) => event.taskId).sort(), left)
  })
}

t.test('a restart goes on where the last batch ended, and one that was cancelled deletes nothing more', async t => {
  const gateway = await open(t)
  await Promise.all(Array.from({ length: 230 }, async (_, n) => await accepted(gateway, { taskId: `t${n}`, businessId: 'x' })))
  const id = await placeOrder(gateway.blocking, orderOf({ businessIds: ['x'] }))
  const progress = async (): Promise<OrderProgress> => (await readOrder(gateway.blocking, id))!
  const first = runnerOf(t, gateway)
  first.start()
  await until('a batch is deleted', async () => (await progress()).purged > 0)
  await first.stop()
  const { purged, state } = await progress()
  t.ok(purged < 230 && state === 'running', `${purged} deleted`)
  const second = runnerOf(t, gateway)
  second.start()
  await until('it is done', async () => (await progress()).state === 'done')
  t.match(await progress(), { matched: 230, purged: 230 })
  const later = await accepted(gateway, { taskId: 'later', businessId: 'x' })
  const cancelled = await placeOrder(gateway.blocking, orderOf({ businessIds: ['x'] }))
  t.match(await cancelOrder(gateway.blocking, cancelled), { state: 'cancelled', order: null })
  await second.stop()
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.id), [later])
})

t.test('a replay whose deliveries are purged comes to its end', async t => {
  const gateway = await open(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  await endDelivery(gateway, 'a', eventId, { state: 'failed', reason: 'exhausted' })
  const replay = await placeOrder(gateway.blocking, { kind: 'replay', filter: {}, state: 'failed', newId: false, ratePerSecond: null })
  const runner = runnerOf(t, gateway)
  runner.start()
  await until('it is put back', async () => (await readOrder(gateway.blocking, replay))!.state === 'done')
  await runner.stop()
  await carriedOut(t, gateway, orderOf({ taskIds: ['t1'] }))
  t.match(await readOrder(gateway.blocking, replay), { queued: 1, discarded: 1 })
})

t.test('while Redis is full, purges are taken and carried out: they make room', async t => {
  const own = await startRedis(['--appendfsync', 'no'])
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a']) })
  for (let n = 0; n < 5; n++) await accepted(gateway, { taskId: `t${n}`, businessId: 'x' })
  await gateway.blocking.redis.config('SET', 'maxmemory', '1')
  t.match(await carriedOut(t, gateway, orderOf({ businessIds: ['x'] })), { state: 'done', matched: 5, purged: 5 })
})
