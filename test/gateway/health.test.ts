/** What everybody may read of the gateway's health, without a token. */
import t from 'tap'
import { createHealth } from '../../src/gateway/health.js'
import { keysOf } from '../../src/redis/keys.js'
import { startRedis } from '../support/redis.js'

const redis = await startRedis()
t.teardown(async () => { await redis.close() })

const options = { open: () => true, stopping: () => false, refusedFaults: () => 0, troubleAmongReplicas: () => null }

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
