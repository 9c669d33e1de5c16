/**
 * A backlog that is bounded: the oldest deliveries beyond the bound fail with
 * the reason `backlog`, the newest stay, nothing under way is touched, and what
 * failed can be replayed.
 */
import t, { type Test } from '../support/tap.js'
import type { Fact } from '../../src/model/fact.js'
import { readEvent } from '../../src/record/read-event.js'
import { readStats, readSubscriber } from '../../src/record/read-subscribers.js'
import { setHold } from '../../src/record/holds.js'
import { createBoundBacklogs, type BoundBacklogs } from '../../src/replay/bound-backlog.js'
import { putBack } from '../../src/replay/put-back.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, callback, endDelivery, hasJob, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, dedupe = {}): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b'], dedupe) })
}

/** Accepts callbacks one after the other. @returns the ids of their events, oldest first */
async function accept (gateway: Gateway, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push(await accepted(gateway, { taskId: `t${n}` }))
  return ids
}

function boundsOf ({ blocking, facts }: Gateway, clock?: () => number): BoundBacklogs {
  return createBoundBacklogs({ store: blocking, report: fact => { facts.push(fact) }, ...clock === undefined ? {} : { clock } })
}

/** Bounds the backlog of `a`. */
async function bound (gateway: Gateway, maxBacklog: number | null): Promise<number> {
  return await boundsOf(gateway)([{ name: 'a', maxBacklog }])
}

/** The states of the deliveries to a subscriber, by event. */
async function statesOf (gateway: Gateway, ids: readonly string[], subscriber = 'a'): Promise<Array<string | undefined>> {
  const found = await Promise.all(ids.map(async id => await readEvent(gateway.store, id)))
  return found.map(event => event?.deliveries.find(one => one.subscriber === subscriber)?.state)
}

t.test('the oldest beyond it fail, the newest stay, and no other subscriber notices', async t => {
  const gateway = await open(t)
  const ids = await accept(gateway, 5)
  t.equal(await bound(gateway, 3), 2)
  t.strictSame(await statesOf(gateway, ids), ['failed', 'failed', 'queued', 'queued', 'queued'])
  t.strictSame(await statesOf(gateway, ids, 'b'), Array(5).fill('queued'))
  t.match((await readEvent(gateway.store, ids[0]!))!.deliveries[0], { state: 'failed', lastError: 'backlog', nextAttemptAt: null, attempts: 0 })
  t.equal(await bound(gateway, 3), 0, 'once')
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('all that is owed is sent', async () => (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  t.strictSame(sent.filter(({ subscriber }) => subscriber === 'a').map(({ event }) => event.id).sort(), ids.slice(2))
})

t.test('without a bound nothing happens, nor below it', async t => {
  const gateway = await open(t)
  const ids = await accept(gateway, 3)
  t.equal(await bound(gateway, null), 0)
  t.equal(await bound(gateway, 3), 0)
  t.strictSame(await statesOf(gateway, ids), ['queued', 'queued', 'queued'])
})

t.test('what failed is counted and kept as any other, and a replay delivers it', async t => {
  const gateway = await open(t)
  const ids = await accept(gateway, 4)
  await bound(gateway, 1)
  const { keys, blocking } = gateway
  t.match((await readSubscriber(blocking, 'a'))!.counts, { open: 1, failed: 3 })
  t.equal((await readStats(blocking)).failed, 3)
  t.equal(await blocking.redis.hget(keys.subscriber('a'), 'failed'), '3')
  for (const id of ids) await endDelivery(gateway, 'b', id, { state: 'delivered' })
  t.strictSame(await blocking.redis.zrange(keys.endedFailed, '0', '-1'), ids.slice(0, 3), 'their retention is that of failed ones')

  const failed = (await allEvents(gateway, { states: ['failed'] })).flatMap(({ deliveries }) => deliveries).filter(({ state }) => state === 'failed')
  t.equal(await putBack({ store: gateway.blocking, queues: gateway.queues }, failed, { replayId: null, newWebhookId: null }), 3)
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('all are sent', async () => (await gateway.queues.count('a')).open === 0)
  t.strictSame(sent.filter(({ subscriber }) => subscriber === 'a').map(({ event }) => event.id).sort(), ids)
})

t.test('it counts what waits for whatever reason: queued, retrying, held', async t => {
  const gateway = await open(t, { onConflict: 'hold' })
  const ids = [
    await accepted(gateway, { taskId: 'retrying' }),
    await accepted(gateway, { taskId: 'one', url: 'one' }),
    await accepted(gateway, { taskId: 'one', url: 'two' }), // held: it conflicts
    await accepted(gateway, { taskId: 'queued' }),
    await accepted(gateway, { taskId: 'last' })
  ]
  await endDelivery(gateway, 'a', ids[0]!, { state: 'retrying', waitMs: 3_600_000 })
  await setHold(gateway.blocking, 'a', 'pause')
  t.strictSame(await statesOf(gateway, ids), ['retrying', 'queued', 'held', 'queued', 'queued'])
  t.equal(await bound(gateway, 5), 0)
  t.equal(await bound(gateway, 4), 1)
  t.strictSame(await statesOf(gateway, ids), ['failed', 'queued', 'held', 'queued', 'queued'])
  t.equal(await bound(gateway, 3), 1)
  t.strictSame(await statesOf(gateway, ids), ['failed', 'failed', 'held', 'queued', 'queued'])
  t.equal(await bound(gateway, 1), 2)
  t.strictSame(await statesOf(gateway, ids), ['failed', 'failed', 'failed', 'failed', 'queued'])
  t.equal(await gateway.blocking.redis.zcard(gateway.keys.held('a')), 0)
})

t.test('an attempt that is under way is left alone, and does not wait', async t => {
  const gateway = await open(t)
  const [first] = await accept(gateway, 1)
  let finish = (): void => {}
  const { deliver, sent } = recordingDeliver(async ({ subscriber, event }) => {
    if (subscriber === 'a' && event.id === first) await new Promise<void>(resolve => { finish = resolve })
    return { state: 'delivered' }
  })
  gateway.policy.subscribers[0]!.concurrency = 1
  await gateway.work(deliver)
  await until('it is under way', () => sent.some(({ subscriber }) => subscriber === 'a'))
  const others = [await accepted(gateway, { taskId: 'x' }), await accepted(gateway, { taskId: 'y' })]
  t.equal(await bound(gateway, 2), 0)
  t.equal(await bound(gateway, 1), 1)
  t.strictSame(await statesOf(gateway, [first!, ...others]), ['queued', 'failed', 'queued'])
  finish()
  await until('it is delivered', async () => (await statesOf(gateway, [first!]))[0] === 'delivered')
})

t.test('their jobs are gone, and so is their place in a line that nobody works on', async t => {
  const gateway = await open(t)
  await setHold(gateway.blocking, 'a', 'pause')
  const ids = await accept(gateway, 20)
  t.equal(await bound(gateway, 5), 15)
  t.strictSame(await gateway.queues.count('a'), { jobs: 5, waiting: 5, open: 5 })
  t.equal(await hasJob(gateway, 'a', ids[0]!), false)
  t.equal(await hasJob(gateway, 'a', ids[19]!), true)
})

t.test('more than one step goes in a round, and a stop ends it between two', async t => {
  const gateway = await open(t)
  await Promise.all(Array.from({ length: 650 }, async (_, n) => await gateway.accept(callback({ taskId: `t${n}` }))))
  let steps = 0
  const bounds = createBoundBacklogs({ store: gateway.blocking, report: () => {}, mayGoOn: () => ++steps <= 1 })
  t.equal(await bounds([{ name: 'a', maxBacklog: 50 }]), 200)
  t.equal(await bound(gateway, 50), 400)
})

t.test('it works on a full Redis', async t => {
  const own = await startRedis(['--appendfsync', 'no'])
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a']) })
  await accept(gateway, 3)
  await gateway.blocking.redis.config('SET', 'maxmemory', '1')
  t.equal(await bound(gateway, 1), 2)
})

t.test('a delivery that cannot be read fails as such, and keeps nobody in line', async t => {
  const gateway = await open(t)
  const ids = await accept(gateway, 3)
  await gateway.blocking.redis.hset(gateway.keys.event(ids[0]!), 'd:a', 'nonsense')
  await bound(gateway, 1)
  const { blocking: { redis }, keys } = gateway
  t.equal(await redis.zcard(keys.open('a')), 1)
  t.match(await redis.hget(keys.event(ids[0]!), 'd:a'), /"e":"corrupt"/)
  t.equal((await readStats(gateway.blocking)).failed, 2, 'each is counted once')
})

t.test('it is told at once, and then once a minute with the number', async t => {
  const gateway = await open(t)
  let now = 0
  const bounds = boundsOf(gateway, () => now)
  const told = (): Fact[] => gateway.facts.filter(({ fact }) => fact === 'backlog.failed')
  const round = async (): Promise<void> => { await bounds([{ name: 'a', maxBacklog: 1 }]) }
  await round()
  t.strictSame(told(), [], 'nothing, when nothing failed')
  await accept(gateway, 3)
  await round()
  t.strictSame(told(), [{ fact: 'backlog.failed', subscriber: 'a', deliveries: 2, reason: 'backlog' }])
  for (const taskId of ['x', 'y', 'z']) {
    await accepted(gateway, { taskId })
    now += 10_000
    await round()
  }
  t.equal(told().length, 1)
  now += 60_000
  await round()
  t.strictSame(told().slice(1), [{ fact: 'backlog.failed', subscriber: 'a', deliveries: 3, reason: 'backlog' }])
})
