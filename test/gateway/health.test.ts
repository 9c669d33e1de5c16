/** What everybody may read of the gateway's health, without a token. */
import t from 'tap'
import { createHealth, type Health } from '../../src/gateway/health.js'
import { keysOf } from '../../src/redis/keys.js'
import { readMemory } from '../../src/redis/memory.js'
import { startRedis } from '../support/redis.js'

const redis = await startRedis()
t.teardown(async () => { await redis.close() })

const options = { spool: null, open: () => true, stopping: () => false, refusedFaults: () => 0, troubleAmongReplicas: () => null }

t.test('a Redis that is away is told in fixed words: no host, no port, no words of the driver', async t => {
  const client = redis.client().duplicate({ path: '/nowhere/48151623.sock', lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => {})
  t.teardown(() => { client.disconnect() })
  const health = createHealth({ ...options, store: { redis: client, keys: keysOf('test') } })
  t.strictSame(await health(), { ready: false, status: 'degraded', reasons: ['Redis takes no writes'] })
})

t.test('a Redis that is full is told by its own code, and nothing after it', async t => {
  const client = redis.client()
  await client.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await client.config('SET', 'maxmemory', '0') })
  const health = createHealth({ ...options, store: { redis: client, keys: keysOf('test') } })
  t.strictSame((await health()).reasons, ['Redis takes no writes (OOM)'])
})

t.test('until every listener is open nothing should be sent here', async t => {
  let open = false
  const health = createHealth({ ...options, open: () => open, store: { redis: redis.client(), keys: keysOf('test') } })
  t.strictSame(await health(), { ready: false, status: 'degraded', reasons: ['the gateway is starting'] })
  open = true
  t.strictSame(await health(), { ready: true, status: 'ok', reasons: [] }, 'from that moment on')
})

t.test('trouble among the replicas keeps nobody from being ready', async t => {
  const health = createHealth({ ...options, troubleAmongReplicas: () => 'they differ', store: { redis: redis.client(), keys: keysOf('test') } })
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
    return await createHealth({ ...options, store })()
  }
  t.strictSame(await healthAt(0.7), { ready: true, status: 'ok', reasons: [] })
  const short = await healthAt(0.85)
  t.match(short, { ready: true, status: 'degraded', reasons: [/^Redis has used 8\d % of its memory: finished events go before their retention is over/] })
  t.equal(short.reasons.length, 1)
  t.strictSame(await healthAt(0.75), { ready: true, status: 'ok', reasons: [] })
})
