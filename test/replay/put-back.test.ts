/**
 * Deliveries are put back in their queues, each with its job, or left alone.
 */
import t, { type Test } from '../support/tap.js'
import { readHolds } from '../../src/record/holds.js'
import { readEvent } from '../../src/record/read-event.js'
import { putBack } from '../../src/replay/put-back.js'
import { startRedis } from '../support/redis.js'
import { accepted, endDelivery, hasJob, openGateway, policyFor, type Gateway } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function openWithFailed (t: Test): Promise<{ gateway: Gateway, eventId: string }> {
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b']) })
  const eventId = await accepted(gateway, { taskId: 't1' })
  await endDelivery(gateway, 'a', eventId, { state: 'failed', reason: 'exhausted' })
  return { gateway, eventId }
}

const RELEASE = { replayId: null, newWebhookId: null }

t.test('a failed delivery is put back with a job of its new generation', async t => {
  const { gateway, eventId } = await openWithFailed(t)
  const { blocking: store, queues } = gateway
  t.equal(await putBack({ store, queues }, [{ eventId, subscriber: 'a', state: 'failed', generation: 1 }], RELEASE), 1)
  t.match((await readEvent(store, eventId))!.deliveries[0], { state: 'queued', generation: 2, budgetUsed: 0, webhookId: null })
  t.ok(await hasJob(gateway, 'a', eventId, 2))
})

t.test('what changed since it was selected is left alone, and gets no job', async t => {
  const { gateway, eventId } = await openWithFailed(t)
  const { blocking: store, queues } = gateway
  const stale = [
    { eventId, subscriber: 'a', state: 'failed', generation: 2 }, // somebody else has put it back and it failed again
    { eventId, subscriber: 'a', state: 'discarded', generation: 1 }, // and here it was something else
    { eventId, subscriber: 'b', state: 'failed', generation: 1 }, // queued all the time
    { eventId: 'evt_x', subscriber: 'a', state: 'failed', generation: 1 } // swept
  ] as const
  t.equal(await putBack({ store, queues }, stale, RELEASE), 0)
  t.notOk(await hasJob(gateway, 'a', eventId, 3))
  t.notOk(await hasJob(gateway, 'b', eventId, 2))
  t.notOk(await hasJob(gateway, 'a', 'evt_x', 2))
})

t.test('a fresh webhook id is fixed for each delivery', async t => {
  const { gateway, eventId } = await openWithFailed(t)
  const { blocking: store, queues } = gateway
  await putBack({ store, queues }, [{ eventId, subscriber: 'a', state: 'failed', generation: 1 }], { replayId: null, newWebhookId: () => 'evt_fresh' })
  t.match((await readEvent(store, eventId))!.deliveries, [{ webhookId: 'evt_fresh' }, { webhookId: null }])
})

t.test('a batch of a replay that was cancelled meanwhile puts nothing back', async t => {
  const { gateway, eventId } = await openWithFailed(t)
  const { keys, blocking: { redis }, blocking: store, queues } = gateway
  for (const state of ['cancelled', 'running']) {
    await redis.hset(keys.replay('rpl_1'), { state, queued: 0, cursor: 9 })
    const running = state === 'running'
    const queued = await putBack({ store, queues }, [{ eventId, subscriber: 'a', state: 'failed', generation: 1 }], { replayId: 'rpl_1', newWebhookId: null, cursor: 5 })
    t.equal(queued, running ? 1 : 0)
    t.strictSame(await redis.hmget(keys.replay('rpl_1'), 'queued', 'cursor'), running ? ['1', '5'] : ['0', '9'])
    t.equal((await readEvent(store, eventId))!.deliveries[0]!.state, running ? 'queued' : 'failed')
  }
})

t.test('a replay never goes back up: a runner that stalled comes after the one that took over', async t => {
  const { gateway } = await openWithFailed(t)
  const { keys, blocking: { redis }, blocking: store, queues } = gateway
  await redis.hset(keys.replay('rpl_1'), { state: 'running', queued: 0, cursor: 1_700_000_000_000_005 })
  await putBack({ store, queues }, [], { replayId: 'rpl_1', newWebhookId: null, cursor: 1_700_000_000_000_009 })
  t.equal(await redis.hget(keys.replay('rpl_1'), 'cursor'), '1700000000000005')
  await putBack({ store, queues }, [], { replayId: 'rpl_1', newWebhookId: null, cursor: 1_700_000_000_000_002 })
  t.equal(await redis.hget(keys.replay('rpl_1'), 'cursor'), '1700000000000002')
})

t.test('a replay ends the wait that its subscriber asked for, and nobody else\'s', async t => {
  const { gateway, eventId } = await openWithFailed(t)
  const { keys, blocking, queues } = gateway
  for (const name of ['a', 'b']) await blocking.redis.hset(keys.subscriber(name), 'hold:throttle', Date.now(), 'throttle:until', Date.now() + 600_000)
  await blocking.redis.hset(keys.replay('rpl_1'), 'state', 'running')
  const meant = { eventId, subscriber: 'a', state: 'failed', generation: 1 } as const
  t.equal(await putBack({ store: blocking, queues }, [meant], { replayId: 'rpl_1', newWebhookId: null }), 1)
  const holds = await readHolds(blocking)
  t.strictSame([holds.get('a'), holds.get('b')?.by], [null, 'throttle'])
})
