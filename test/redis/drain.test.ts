/**
 * A full Redis: what drains it works, what fills it is refused, and what
 * takes something new is refused a little before.
 */
import t from '../support/tap.js'
import { claimDataVersion } from '../../src/redis/data-version.js'
import { runDraining } from '../../src/redis/drain.js'
import { createLease } from '../../src/redis/lease.js'
import { keysOf } from '../../src/redis/keys.js'
import { probeWrites } from '../../src/redis/probe.js'
import { announceReplica, forgetReplica } from '../../src/record/replicas.js'
import { saveAlerts } from '../../src/record/alerts.js'
import { createConfiguredHolds } from '../../src/record/configured-holds.js'
import { clearHold, setHold } from '../../src/record/holds.js'
import { findTaskEvents } from '../../src/record/task-events.js'
import { sweep } from '../../src/record/sweep.js'
import { placeOrder } from '../../src/replay/orders.js'
import { startRedis } from '../support/redis.js'
import { accepted, endDelivery, openGateway, policyFor } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const redis = server.client()
const keys = keysOf('relay')
const store = { redis, keys }

const REPLICA = { id: 'r1', host: 'h', pid: 1, role: 'all', version: '1', startedAt: 1, fingerprint: 'f', configuredAt: 1 } as const

/** So many are remembered. */
const MOST_ORDERS = 1_000

/** What a gateway writes to start, to tell, to hold and to order. */
const DRAINS: ReadonlyArray<[says: string, write: () => Promise<unknown>]> = [
  ['a start reads the version of its data', async () => { await claimDataVersion(redis, keys) }],
  ['a start on empty data marks it', async () => { await claimDataVersion(redis, keysOf('other')) }],
  ['a replica announces itself', async () => { await announceReplica(store, REPLICA, 60_000) }],
  ['alerts are kept', async () => { await saveAlerts(store, [{ name: 'memory-short' } as never]) }],
  ['a subscriber is paused', async () => { await setHold(store, 'a', 'pause') }],
  ['a subscriber is resumed', async () => { await clearHold(store, 'a', 'pause') }],
  ['a replica says goodbye', async () => { await forgetReplica(store, REPLICA.id) }],
  ['an order is taken, and the oldest is forgotten', async () => { await placeOrder(store, { kind: 'discard', filter: { states: [] } }) }],
  ['a configuration is taken up', async () => { await createConfiguredHolds(store).takeUp([{ name: 'a', enabled: false, url: 'http://one/' }]) }],
  ['the lease of sweeping is taken', async () => { if (!await createLease(redis, keys.sweepLease, 60_000).hold()) throw new Error('it is not held') }],
  ['the events of a task are found', async () => { await findTaskEvents(store, ['t']) }],
  ['an order is noted', async () => { await runDraining(redis, keys.replays, [['SET', keys.replayLock('x'), 'y', 'PX', 1_000, 'NX']]) }]
]

t.test('a full Redis refuses plain writes, and none of those that drain it', async t => {
  await claimDataVersion(redis, keys)
  await redis.zadd(keys.replays, ...Array.from({ length: MOST_ORDERS }, (_, n) => [n, `ord_${n}`]).flat())
  await redis.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await redis.config('SET', 'maxmemory', '0') })
  await t.rejects(redis.set('plain', '1'), /OOM/)
  await t.rejects(probeWrites(redis, keys), /OOM/, 'a callback would be refused')
  for (const [says, write] of DRAINS) await t.resolves(write(), says)
  t.strictSame([await redis.zcard(keys.replays), await redis.zscore(keys.replays, 'ord_0')], [MOST_ORDERS, null])
})

t.test('on a full Redis an event whose retention is over is deleted', async t => {
  const gateway = await openGateway(t, server, { prefix: 'swept', policy: policyFor(['a']) })
  for (const taskId of ['t1', 't2']) await endDelivery(gateway, 'a', await accepted(gateway, { taskId }), { state: 'delivered' })
  await redis.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await redis.config('SET', 'maxmemory', '0') })
  t.equal(await sweep(gateway.blocking, { eventsMs: 0, failedMs: 0, windowMs: 60_000 }), 2)
})

t.test('what each command returns comes back, in order', async t => {
  t.strictSame(await runDraining(redis, 'k', [['SET', 'k', 'v'], ['GET', 'k'], ['SET', 'k', 'w', 'NX'], ['DEL', 'k'], ['EXISTS', 'k']]), ['OK', 'v', null, 1, 0])
})

t.test('a callback is refused while there is room for what is owed', async t => {
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1])
  t.teardown(async () => { await redis.config('SET', 'maxmemory', '0') })
  await redis.config('SET', 'maxmemory', String(Math.ceil(used / 0.9)))
  await t.resolves(probeWrites(redis, keys))
  await redis.config('SET', 'maxmemory', String(Math.ceil(used / 0.97)))
  await t.rejects(probeWrites(redis, keys), /OOM/)
  await t.resolves(redis.set('plain', '1'), 'Redis itself would take it')
})
