/** The list of replicas in Redis: who lives is on it, who does not goes by itself. */
import t from '../support/tap.js'
import type { Replica } from '../../src/model/replica.js'
import { announceReplica, fingerprintSalt, forgetReplica, keepReplica, readReplicas } from '../../src/record/replicas.js'
import { keysOf } from '../../src/redis/keys.js'
import { startRedis } from '../support/redis.js'
import { until } from '../support/until.js'

const redis = await startRedis()
t.teardown(async () => { await redis.close() })

const LONG_MS = 60_000
/** Longer than this process is ever held up. */
const SHORT_MS = 1_000

function storeOf (prefix: string) {
  return { redis: redis.client(), keys: keysOf(prefix) }
}

function replicaCalled (id: string, more: Partial<Replica> = {}): Replica {
  return { id, host: 'web-1', pid: 7, role: 'all', version: '1.2.3', startedAt: 1_000, fingerprint: 'abc', configuredAt: 2_000, ...more }
}

t.test('what was announced is read back, by role, host and start', async t => {
  const store = storeOf('read')
  const replicas = [
    replicaCalled('a', { role: 'deliver' }),
    replicaCalled('b', { role: 'ingest', host: 'web-1', startedAt: 1_000 }),
    replicaCalled('c', { role: 'ingest', host: 'web-1', startedAt: 2_000 }),
    replicaCalled('d', { role: 'ingest', host: 'web-2', startedAt: 500 })
  ]
  for (const replica of [...replicas].reverse()) await announceReplica(store, replica, LONG_MS)
  t.strictSame(await readReplicas(store), replicas)
  t.strictSame(await readReplicas(storeOf('elsewhere')), [], 'those of another prefix are not ours')
})

t.test('a later announcement takes the place of the one before', async t => {
  const store = storeOf('again')
  await announceReplica(store, replicaCalled('a'), LONG_MS)
  await announceReplica(store, replicaCalled('a', { fingerprint: 'def', configuredAt: 3_000 }), LONG_MS)
  t.strictSame(await readReplicas(store), [replicaCalled('a', { fingerprint: 'def', configuredAt: 3_000 })])
})

t.test('one that says nothing more is gone after its lifetime; one that keeps on is not', async t => {
  const store = storeOf('silent')
  await announceReplica(store, replicaCalled('silent'), SHORT_MS)
  await announceReplica(store, replicaCalled('alive'), SHORT_MS)
  await until('the silent one is gone', async () => {
    t.equal(await keepReplica(store, 'alive', SHORT_MS), true)
    return (await readReplicas(store)).length === 1
  })
  t.match(await readReplicas(store), [{ id: 'alive' }])
  t.equal(await keepReplica(store, 'alive', SHORT_MS), true) // it may have gone after the last announcement
  t.strictSame(await store.redis.zrange(store.keys.replicas, '0', '-1'), ['alive'], 'and nothing of it is left')
  t.equal(await store.redis.exists(store.keys.replica('silent')), 0)
})

t.test('one that Redis has forgotten is told to announce itself, and is on no list until then', async t => {
  const store = storeOf('forgotten')
  await announceReplica(store, replicaCalled('a'), LONG_MS)
  await store.redis.del(store.keys.replica('a'), store.keys.replicas)
  t.equal(await keepReplica(store, 'a', LONG_MS), false)
  t.strictSame(await readReplicas(store), [])
})

t.test('one that leaves is gone at once', async t => {
  const store = storeOf('leaving')
  await announceReplica(store, replicaCalled('a'), LONG_MS)
  await forgetReplica(store, 'a')
  t.strictSame(await store.redis.keys('{leaving}:*'), [])
})

t.test('a full Redis still hears who lives, and of whom', async t => {
  const store = storeOf('full')
  await announceReplica(store, replicaCalled('a'), LONG_MS)
  await store.redis.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await store.redis.config('SET', 'maxmemory', '0') })
  t.equal(await keepReplica(store, 'a', LONG_MS), true)
  await announceReplica(store, replicaCalled('b'), LONG_MS)
  t.match(await readReplicas(store), [{ id: 'a' }, { id: 'b' }])
})

t.test('of many that ask for a salt at once, all get the same, and it stays', async t => {
  const store = storeOf('salt')
  const salts = await Promise.all(Array.from({ length: 20 }, async () => await fingerprintSalt(storeOf('salt'))))
  t.equal(new Set(salts).size, 1)
  t.ok(Buffer.from(salts[0]!, 'base64url').length >= 16)
  t.equal(await fingerprintSalt(store), salts[0])
  t.equal(await store.redis.ttl(store.keys.fingerprintSalt), -1, 'it has no end: another would make every fingerprint a new one')
  t.not(await fingerprintSalt(storeOf('other')), salts[0])
})
