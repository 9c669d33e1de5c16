/** The alerts of the whole relay, in Redis. */
import t from '../support/tap.js'
import type { Alert } from '../../src/model/alert.js'
import { readAlerts, saveAlerts } from '../../src/record/alerts.js'
import { keysOf } from '../../src/redis/keys.js'
import { alertOf } from '../alerts/alert.js'
import { startRedis } from '../support/redis.js'

const redis = await startRedis()
t.teardown(async () => { await redis.close() })
const store = { redis: redis.client(), keys: keysOf('test') }

t.test('what was saved is read, and where nothing is to be kept no key is left', async t => {
  const alerts: Alert[] = [alertOf('subscriber-gone', { of: 'relay', subscriber: 'billing', told: { 'on-call': { notice: 'raised', at: 2 } } })]
  t.strictSame(await readAlerts(store), [])
  await saveAlerts(store, alerts)
  t.strictSame(await readAlerts(store), alerts)
  await saveAlerts(store, [])
  t.strictSame(await readAlerts(store), [])
  t.equal(await store.redis.exists(store.keys.alerts), 0)
})

t.test('what is none is none: everything is told anew, and nothing stands still', async t => {
  for (const text of ['', '{', '{}', 'null']) {
    await store.redis.set(store.keys.alerts, text)
    t.strictSame(await readAlerts(store), [], text)
  }
})
