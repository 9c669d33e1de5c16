/** What is put back in the queue is wanted now. */
import t from '../support/tap.js'
import { readHolds } from '../../src/record/holds.js'
import { putBack } from '../../src/replay/put-back.js'
import { startRedis } from '../support/redis.js'
import { accepted, endDelivery, openGateway, policyFor } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

t.test('a replay ends the wait that its subscriber asked for, and nobody else\'s', async t => {
  const gateway = await openGateway(t, server, { prefix: 'p', policy: policyFor(['a', 'b']) })
  const eventId = await accepted(gateway, { taskId: 't1' })
  await endDelivery(gateway, 'a', eventId, { state: 'failed', reason: 'exhausted' })
  const { keys, blocking } = gateway
  for (const name of ['a', 'b']) await blocking.redis.hset(keys.subscriber(name), 'hold:throttle', Date.now(), 'throttle:until', Date.now() + 600_000)
  await blocking.redis.hset(keys.replay('rpl_1'), 'state', 'running')
  t.equal(await putBack({ store: blocking, queues: gateway.queues }, [{ eventId, subscriber: 'a', generation: 2 }], { replayId: 'rpl_1', newWebhookId: null }), 1)
  const holds = await readHolds(blocking)
  t.strictSame([holds.get('a'), holds.get('b')?.by], [null, 'throttle'])
})
