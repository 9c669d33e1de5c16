/**
 * An operator gives deliveries up.
 */
import t, { type Test } from '../support/tap.js'
import type { DeliveryState } from '../../src/model/delivery.js'
import type { NextState } from '../../src/model/work.js'
import { discardDeliveries } from '../../src/record/discard.js'
import { readEvent } from '../../src/record/read-event.js'
import { startRedis } from '../support/redis.js'
import { accepted, endDelivery, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b']) })
}

const TABLE: ReadonlyArray<[from: DeliveryState, next: NextState | null, discarded: boolean]> = [
  ['queued', null, true],
  ['retrying', { state: 'retrying', waitMs: 86_400_000 }, true],
  ['failed', { state: 'failed', reason: 'exhausted' }, true],
  ['delivered', { state: 'delivered' }, false]
]
for (const [from, next, discarded] of TABLE) {
  t.test(`a ${from} delivery is ${discarded ? 'discarded, once' : 'left alone'}`, async t => {
    const gateway = await open(t)
    const eventId = await accepted(gateway, { taskId: 't1' })
    if (next !== null) await endDelivery(gateway, 'a', eventId, next)
    const one = [{ eventId, subscriber: 'a' }]
    t.equal(await discardDeliveries(gateway.blocking, one), discarded ? 1 : 0)
    t.equal(await discardDeliveries(gateway.blocking, one), 0)
    const { deliveries } = (await readEvent(gateway.store, eventId))!
    t.match(deliveries, [{ state: discarded ? 'discarded' : from, nextAttemptAt: null }, { state: 'queued' }])
    const { blocking: { redis }, keys } = gateway
    t.strictSame(await Promise.all([keys.open('a'), keys.failed('a'), keys.held('a')].map(async key => await redis.zcard(key))), [0, 0, 0])
  })
}

t.test('the job of a discarded delivery finishes unsent', async t => {
  const gateway = await open(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  await discardDeliveries(gateway.blocking, [{ eventId, subscriber: 'a' }])
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('both queues are empty', async () => (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  t.strictSame(sent.map(({ subscriber }) => subscriber), ['b'])
})

t.test('what is not there is discarded by nobody', async t => {
  const gateway = await open(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  t.equal(await discardDeliveries(gateway.blocking, []), 0)
  t.equal(await discardDeliveries(gateway.blocking, [{ eventId, subscriber: 'x' }, { eventId: 'evt_x', subscriber: 'a' }]), 0)
})
