/** What everybody may read of the gateway's health, without a token. */
import t from '../support/tap.js'
import type { SpoolStatus } from '../../src/accept/spool/spooling.js'
import { createHealth, type Health } from '../../src/gateway/health.js'
import { createSnapshots, type SnapshotOptions } from '../../src/conditions/snapshot.js'
import { keysOf } from '../../src/redis/keys.js'
import { readMemory } from '../../src/redis/memory.js'
import { probeWrites } from '../../src/redis/probe.js'
import type { RedisClient } from '../../src/redis/script.js'
import { startRedis } from '../support/redis.js'

const redis = await startRedis()
t.teardown(async () => { await redis.close() })

const options = { spool: null, lostConnections: () => [], refusals: () => ({}), misdirected: () => [], guesses: () => 0, open: () => true, stopping: () => false, refusedFaults: () => 0, replicasTrouble: () => null }

/** As the gateway puts it together. */
function healthOf ({ open, stopping, ...rest }: SnapshotOptions & { open: () => boolean, stopping: () => boolean }): () => Promise<Health> {
  return createHealth({ open, stopping, snapshot: createSnapshots(rest) })
}

/** What asks this Redis. */
function on (client: RedisClient): Pick<SnapshotOptions, 'store' | 'probe'> {
  const store = { redis: client, keys: keysOf('test') }
  return { store, probe: async () => { await probeWrites(client, store.keys) } }
}

t.test('a Redis that is away is told in fixed words: no host, no port, no words of the driver', async t => {
  const client = redis.client().duplicate({ path: '/nowhere/48151623.sock', lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => {})
  t.teardown(() => { client.disconnect() })
  const health = healthOf({ ...options, ...on(client) })
  t.strictSame(await health(), { ready: false, status: 'degraded', reasons: ['Redis accepts no writes'] })
})

t.test('a Redis that is full is told by its own code, and nothing after it', async t => {
  const client = redis.client()
  await client.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await client.config('SET', 'maxmemory', '0') })
  const health = healthOf({ ...options, ...on(client) })
  t.strictSame((await health()).reasons, ['Redis accepts no writes (OOM)'])
})

t.test('until every listener is open nothing should be sent here', async t => {
  let open = false
  const health = healthOf({ ...options, open: () => open, ...on(redis.client()) })
  t.strictSame(await health(), { ready: false, status: 'degraded', reasons: ['the gateway is starting'] })
  open = true
  t.strictSame(await health(), { ready: true, status: 'ok', reasons: [] }, 'from that moment on')
})

t.test('a queue that has lost its connection is told while Redis is there: not for a moment, and not because Redis was away', async t => {
  let [now, isConnected, isThere] = [0, true, true]
  const { store, probe } = on(redis.client())
  const snapshot = createSnapshots({
    ...options,
    store,
    lostConnections: () => isConnected ? [] : ['billing'],
    async probe () {
      if (!isThere) throw new Error('away')
      await probe()
    }
  }, () => now)
  const namesAt = async (ms: number): Promise<string[]> => {
    now = ms
    return (await snapshot()).conditions.map(({ name }) => name)
  }
  t.strictSame(await namesAt(1_000), [])
  isConnected = false
  t.strictSame(await namesAt(2_000), [])
  t.strictSame(await namesAt(6_000), [])
  t.strictSame(await namesAt(7_000), ['queue-cut-off'])
  isThere = false
  t.notOk((await namesAt(20_000)).includes('queue-cut-off'))
  isThere = true
  t.strictSame(await namesAt(21_000), [], 'Redis is back, the queue has a moment')
  t.strictSame(await namesAt(26_000), ['queue-cut-off'])
  isConnected = true
  t.strictSame(await namesAt(27_000), [])
})

t.test('trouble among the replicas keeps nobody from being ready', async t => {
  const health = healthOf({ ...options, replicasTrouble: () => 'they differ', ...on(redis.client()) })
  t.strictSame(await health(), { ready: true, status: 'degraded', reasons: ['they differ'] })
})

t.test('memory that is short is told before it is full, and no longer than it is', async t => {
  const client = redis.client()
  const store = { redis: client, keys: keysOf('test') }
  t.teardown(async () => { await client.config('SET', 'maxmemory', '0') })
  // Beside which connections and scripts count for nothing.
  await client.setrange('much', 64_000_000, 'x')
  await client.config('SET', 'maxmemory', '1gb')
  const { usedBytes } = (await readMemory(client, store.keys))!
  const healthAt = async (share: number): Promise<Health> => {
    await client.config('SET', 'maxmemory', String(Math.floor(usedBytes / share)))
    return await healthOf({ ...options, ...on(store.redis) })()
  }
  t.strictSame(await healthAt(0.7), { ready: true, status: 'ok', reasons: [] })
  const short = await healthAt(0.85)
  t.match(short, { ready: true, status: 'degraded', reasons: [/^Redis has used 8\d % of its memory: finished events are evicted before their retention ends/] })
  t.equal(short.reasons.length, 1)
  t.strictSame(await healthAt(0.75), { ready: true, status: 'ok', reasons: [] })
})

/** A spool as it would say it is. */
function spoolThat (more: Partial<SpoolStatus> = {}): SnapshotOptions['spool'] {
  const status = { callbacks: 0, bytes: 0, oldestAt: null, maxBytes: 1_000_000, isSpooling: false, problem: null, setAside: 0, ...more }
  return { status: () => status, tryDisk: async () => status }
}
const WAITING = { callbacks: 2, bytes: 1_500, oldestAt: Date.now() - 65_000 }

const WITHOUT_REDIS: ReadonlyArray<[says: string, spool: Partial<SpoolStatus>, ready: boolean, reasons: RegExp[]]> = [
  ['a spool that is empty', {}, true, [/^Redis accepts no writes \(OOM\): callbacks are stored in the spool$/]],
  ['a spool with callbacks', WAITING, true, [/stored in the spool/, /^2 callbacks wait in the spool \(2kb\), the oldest for 6\d s$/]],
  ['a full spool', { ...WAITING, problem: 'it is full' }, false, [/^Redis accepts no writes \(OOM\), and the spool accepts no callbacks \(it is full\)$/, /2 callbacks wait/]]
]
for (const [says, spool, ready, reasons] of WITHOUT_REDIS) {
  t.test(`a full Redis and ${says}: ${ready ? 'degraded, because a callback gets its 200' : 'not ready'}`, async t => {
    const client = redis.client()
    await client.config('SET', 'maxmemory', '1')
    t.teardown(async () => { await client.config('SET', 'maxmemory', '0') })
    const health = healthOf({ ...options, spool: spoolThat(spool), ...on(client) })
    t.match(await health(), { ready, status: 'degraded', reasons })
  })
}

const WITH_REDIS: ReadonlyArray<[says: string, spool: Partial<SpoolStatus>, reasons: RegExp[]]> = [
  ['an empty spool', {}, []],
  ['a spool that is drained', { callbacks: 1, bytes: 100, oldestAt: Date.now() }, [/^1 callback waits in the spool \(1kb\), the oldest for \d s$/]],
  ['a spool that takes nothing', { problem: 'EACCES: permission denied' }, [/^the spool accepts no callbacks \(EACCES: permission denied\): they are refused while Redis is away$/]],
  ['something set aside', { setAside: 1 }, [/^the spool has set 1 file aside that cannot be accepted/]]
]
for (const [says, spool, reasons] of WITH_REDIS) {
  t.test(`with Redis there and ${says} it is ready${reasons.length > 0 ? ', and says what to look at' : ''}`, async t => {
    const health = healthOf({ ...options, spool: spoolThat(spool), ...on(redis.client()) })
    t.match(await health(), { ready: true, status: reasons.length === 0 ? 'ok' : 'degraded', reasons })
  })
}
