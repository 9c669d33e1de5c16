/**
 * Data of a newer release is refused, by whoever comes second.
 */
import t from '../support/tap.js'
import { startRedis } from '../support/redis.js'
import { claimDataVersion, DATA_VERSION } from '../../src/redis/data-version.js'
import { keysOf } from '../../src/redis/keys.js'

const redis = await startRedis()
t.teardown(async () => { await redis.close() })
const client = redis.client()

t.test('empty data is marked, and may be used again', async t => {
  const keys = keysOf('fresh')
  await Promise.all([claimDataVersion(client, keys), claimDataVersion(redis.client(), keys)])
  t.equal(await client.get('{fresh}:version'), String(DATA_VERSION))
  await claimDataVersion(client, keys)
})

t.test('newer data is refused with the release to run, and left as it is', async t => {
  const keys = keysOf('newer')
  await client.set(keys.version, '2')
  await t.rejects(claimDataVersion(client, keys), { code: 'REDIS_UNFIT', message: /version 2 .* run fotor-relay 2\.x or newer/ })
  t.equal(await client.get(keys.version), '2')
})

t.test('data of somebody else is refused', async t => {
  const keys = keysOf('foreign')
  await client.set(keys.version, 'v0.9-beta')
  await t.rejects(claimDataVersion(client, keys), { code: 'REDIS_UNFIT', message: /choose another redis\.prefix/ })
})
