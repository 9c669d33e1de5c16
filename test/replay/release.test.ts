/**
 * What one event holds back is let go or given up, by an operator.
 */
import t, { type Test } from '../support/tap.js'
import { readEvent } from '../../src/record/read-event.js'
import { discardEvent, releaseEvent } from '../../src/replay/release.js'
import { startRedis } from '../support/redis.js'
import { accepted, endDelivery, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
/** A gateway with an event held by conflict. */
async function withHeld (t: Test): Promise<{ gateway: Gateway, held: string }> {
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b'], { onConflict: 'hold' }) })
  await accepted(gateway, { taskId: 't1', url: 'one' })
  return { gateway, held: await accepted(gateway, { taskId: 't1', url: 'two' }) }
}

t.test('a released event is delivered to everyone, once', async t => {
  const { gateway, held } = await withHeld(t)
  const released = await Promise.all([releaseEvent(gateway.blocking, gateway.queues, held), releaseEvent(gateway.blocking, gateway.queues, held)])
  t.strictSame(released.sort(), [0, 2], 'to release it twice at once is to release it')
  t.equal(await releaseEvent(gateway.blocking, gateway.queues, held), 0)
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('the queues are empty', async () => (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  t.strictSame(sent.filter(({ event }) => event.id === held).map(({ subscriber, replayId }) => [subscriber, replayId]).sort(), [['a', null], ['b', null]])
  t.match((await readEvent(gateway.store, held))!.deliveries, [{ state: 'delivered', heldBy: null }, { state: 'delivered', heldBy: null }])
})

t.test('a discarded event is delivered to nobody any more, and what was delivered stays so', async t => {
  const { gateway, held } = await withHeld(t)
  await releaseEvent(gateway.blocking, gateway.queues, held)
  await endDelivery(gateway, 'a', held, { state: 'delivered' }, 2)
  t.equal(await discardEvent(gateway.blocking, held), 1)
  t.equal(await discardEvent(gateway.blocking, held), 0)
  t.match((await readEvent(gateway.store, held))!.deliveries, [{ state: 'delivered' }, { state: 'discarded' }])
  t.ok(await gateway.blocking.redis.zscore(gateway.keys.ended, held))
})

t.test('an unknown event is neither', async t => {
  const { gateway } = await withHeld(t)
  t.equal(await releaseEvent(gateway.blocking, gateway.queues, 'evt_unknown'), null)
  t.equal(await discardEvent(gateway.blocking, 'evt_unknown'), null)
})
