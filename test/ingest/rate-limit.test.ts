/**
 * How many callbacks one address may make, counted here or together.
 */
import t from '../support/tap.js'
import { ANSWER_WITHIN_MS } from '../../src/accept/spool/accept-or-keep.js'
import type { IngestPolicy } from '../../src/ingest/policy.js'
import { COUNT_WITHIN_MS } from '../../src/ingest/rate-limit.js'
import { startRedis } from '../support/redis.js'
import { CALLBACK, createEndpoint, PATH, SENDER, STRANGER, type Endpoint } from './endpoint.js'
import { until } from '../support/until.js'

async function statusOf (endpoint: Endpoint, remoteAddress = SENDER): Promise<number> {
  return (await endpoint.app.inject({ method: 'POST', url: PATH, remoteAddress, payload: CALLBACK })).statusCode
}

function limitOf (max: number, store: 'local' | 'redis' = 'local'): Pick<IngestPolicy, 'rateLimit'> {
  return { rateLimit: { max, perMs: 60_000, store } }
}

t.test('over the limit is 429 with Retry-After, and is reported', async t => {
  const endpoint = createEndpoint(limitOf(2))
  t.equal(await statusOf(endpoint), 200)
  t.equal(await statusOf(endpoint), 200)
  const answer = await endpoint.app.inject({ method: 'POST', url: PATH, remoteAddress: SENDER, payload: CALLBACK })
  t.equal(answer.statusCode, 429)
  const wait = Number(answer.headers['retry-after'])
  t.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60)
  t.equal(answer.headers['content-type'], 'application/problem+json')
  t.match(endpoint.facts, [{ status: 429, reason: 'rate' }])
  t.equal(endpoint.arrivals.length, 2)
})

t.test('one address does not use up the limit of another, whatever its peer', async t => {
  const endpoint = createEndpoint({ ...limitOf(1), allowFrom: [SENDER, '44.236.127.35'], trustedProxies: ['127.0.0.1'] })
  const through = async (client: string) => (await endpoint.app.inject({
    method: 'POST', url: PATH, remoteAddress: '127.0.0.1', payload: CALLBACK, headers: { 'x-forwarded-for': client }
  })).statusCode
  t.strictSame([await through(SENDER), await through('44.236.127.35'), await through(SENDER)], [200, 200, 429])
  t.equal(await statusOf(endpoint), 429, 'nor does another way in give it a new one')
})

t.test('strangers and wrong paths are not counted: they end before', async t => {
  const endpoint = createEndpoint(limitOf(1))
  for (let i = 0; i < 3; i++) t.equal(await statusOf(endpoint, STRANGER), 403)
  for (let i = 0; i < 3; i++) {
    t.equal((await endpoint.app.inject({ method: 'POST', url: '/x', remoteAddress: SENDER })).statusCode, 404)
  }
  t.equal(await statusOf(endpoint), 200)
})

t.test('a reload changes the limit for those already counted', async t => {
  const endpoint = createEndpoint(limitOf(1))
  t.strictSame([await statusOf(endpoint), await statusOf(endpoint)], [200, 429])
  endpoint.policy = { ...endpoint.policy, ...limitOf(10) }
  t.equal(await statusOf(endpoint), 200)
})

t.test('counted in Redis, replicas share the limit', async t => {
  const server = await startRedis()
  t.teardown(() => server.close())
  const replica = (): Endpoint => createEndpoint(limitOf(2, 'redis'), {
    rateLimitRedis: { redis: server.client(), keyPrefix: '{relay}:rate-limit:', isAway: () => false, withinMs: 3_600_000 }
  })
  const [one, other] = [replica(), replica()]
  t.strictSame([await statusOf(one), await statusOf(other), await statusOf(one), await statusOf(other)], [200, 200, 429, 429])
  t.strictSame(await server.client().keys('*'), [`{relay}:rate-limit:${SENDER}`])

  one.policy = { ...one.policy, ...limitOf(1, 'local') }
  t.strictSame([await statusOf(one), await statusOf(one)], [200, 429], 'a reload may change where it is counted')
})

t.test('a limit that cannot be counted refuses nobody', async t => {
  const server = await startRedis()
  t.teardown(() => server.close())
  const redis = server.client({ maxRetriesPerRequest: 1, enableOfflineQueue: false })
  await new Promise(resolve => redis.once('ready', resolve))
  const endpoint = createEndpoint(limitOf(1, 'redis'), { rateLimitRedis: { redis, keyPrefix: 'r:', isAway: () => false } })
  await until('it is counted', async () => await statusOf(endpoint) === 429)
  server.process.kill('SIGSTOP')
  t.equal(await statusOf(endpoint), 200, 'frozen')
  server.process.kill('SIGCONT')
  await server.kill()
  t.equal(await statusOf(endpoint), 200, 'gone')
})

t.test('a Redis that is known to be away is not asked, and one that is frozen not waited for', async t => {
  const server = await startRedis()
  t.teardown(() => server.close())
  let isAway = false
  const endpoint = createEndpoint(limitOf(1, 'redis'), { rateLimitRedis: { redis: server.client(), keyPrefix: 'r:', isAway: () => isAway } })
  t.equal(await statusOf(endpoint), 200)
  server.process.kill('SIGSTOP')
  t.teardown(() => { server.process.kill('SIGCONT') })
  t.equal(await statusOf(endpoint), 200, 'while it is frozen')
  t.ok(COUNT_WITHIN_MS + ANSWER_WITHIN_MS <= 1_250, 'and there is time to answer from the spool, within 1.5 s')
  isAway = true
  t.strictSame([await statusOf(endpoint), await statusOf(endpoint)], [200, 429], 'away, this process counts alone')
})

t.test('without a shared counter, each process counts alone', async t => {
  const endpoint = createEndpoint(limitOf(1, 'redis'))
  t.strictSame([await statusOf(endpoint), await statusOf(endpoint)], [200, 429])
})
