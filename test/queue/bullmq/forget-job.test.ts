/**
 * Jobs of deliveries that were given up: they stay in the line, and are
 * dropped there when their turn comes, at nobody's cost.
 */
import t, { type Test } from '../../support/tap.js'
import { createBatches } from '../../../src/queue/bullmq/batches.js'
import { createMoves, type JobMoves } from '../../../src/queue/bullmq/moves.js'
import { jobIdOf } from '../../../src/model/delivery.js'
import { startRedis } from '../../support/redis.js'
import { accepted, giveUp, openGateway, policyFor, recordingDeliver, RECORDING, type Gateway } from '../../support/relay.js'
import { until } from '../../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

const TOKEN = 'worker:1'
/** More than one call drops. */
const MANY = 1_500

let prefixes = 0
async function open (t: Test): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a']) })
}

/** So many events, given up, and one behind them that is not. */
async function withGivenUp (gateway: Gateway, count: number): Promise<string> {
  const ids = await Promise.all(Array.from({ length: count }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  await giveUp(gateway.blocking, ids.map(eventId => ({ eventId, subscriber: 'a' })))
  return await accepted(gateway, { taskId: 'live' })
}

function movesFor ({ blocking: { redis }, keys }: Gateway, rateLimit: { max: number, perMs: number } | null): JobMoves {
  const batches = createBatches({ redis, keys, recording: RECORDING, limitsOf: () => ({ concurrency: 1, rateLimit }) })
  return createMoves({ subscriber: 'a', batches })
}

t.test('what was given up takes no place of the concurrency, and no share of the rate limit', async t => {
  const gateway = await open(t)
  const live = await withGivenUp(gateway, 20)
  const { keys, blocking: { redis } } = gateway
  t.equal(await redis.llen(`${keys.queuePrefix}:a:wait`), 21, 'it was not looked for in the line')
  const moves = movesFor(gateway, { max: 2, perMs: 3_600_000 })
  const { next } = await moves.take(TOKEN)
  t.equal(next?.jobId, jobIdOf(live, 1), 'the first call comes to the one that is owed')
  t.strictSame(await redis.lrange(`${keys.queuePrefix}:a:active`, 0, -1), [jobIdOf(live, 1)])
  t.strictSame(await redis.hvals(keys.sent('a')), ['1'])
})

t.test('a worker gets through them by itself', async t => {
  const gateway = await open(t)
  await withGivenUp(gateway, MANY)
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('the line is empty', async () => (await gateway.queues.count('a')).jobs === 0)
  t.strictSame(sent.map(({ event }) => event.taskId), ['live'])
  t.strictSame(await gateway.blocking.redis.keys(`${gateway.keys.queuePrefix}:a:evt_*`), [])
})

t.test('the line of whoever is owed nothing is cleared, and of nobody else', async t => {
  const gateway = await open(t)
  const live = await withGivenUp(gateway, 5)
  const { keys, queues, blocking: { redis } } = gateway
  await queues.clearLine('a')
  t.equal(await redis.llen(`${keys.queuePrefix}:a:wait`), 6)
  await giveUp(gateway.blocking, [{ eventId: live, subscriber: 'a' }])
  await queues.clearLine('a')
  t.strictSame(await redis.keys(`${keys.queuePrefix}:a:evt_*`), [])
  t.equal(await redis.llen(`${keys.queuePrefix}:a:wait`), 0)
})
