/**
 * Which deliveries an order means: counted as a dry run does, and put back by
 * a runner, it is the same ones.
 */
import t, { type Test } from '../support/tap.js'
import { setHold } from '../../src/record/holds.js'
import { countSoFar } from '../../src/replay/count.js'
import type { ReplayOrder } from '../../src/replay/order.js'
import { placeOrder, readOrder } from '../../src/replay/orders.js'
import { createOrderRunner } from '../../src/replay/run.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, callback, endDelivery, giveUp, hasJob, openGateway, policyFor, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
const AT = 1_700_000_000_000

/**
 * One delivery of each kind for `a`, and for `b` what its events are to it:
 *
 *           a           b
 *   t1      failed      delivered     type avatar, status 1
 *   t2      delivered   failed        type imageUpscaler, status 1
 *   t3      retrying    failed        type image, status 2
 *   t4      discarded   queued
 *   t5      queued      retrying
 *   t5 (2)  held        held          by conflict
 *   t6      none: not wanted          type video
 *   t1 (0)  none: late                status 0
 *
 * `c` came last and never had any.
 */
async function record (t: Test): Promise<Gateway> {
  const policy = policyFor(['a', 'b'], { onConflict: 'hold' })
  for (const subscriber of policy.subscribers) subscriber.match = { types: ['avatar', 'image*'], statuses: [], businessIds: [] }
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy })
  const ids: string[] = []
  const events = [
    ['t1', 'avatar', 1], ['t2', 'imageUpscaler', 1], ['t3', 'image', 2], ['t4', 'avatar', 1], ['t5', 'avatar', 1], ['t5', 'avatar', 1], ['t6', 'video', 1], ['t1', 'avatar', 0]
  ] as const
  for (const [n, [taskId, type, status]] of events.entries()) {
    ids.push(await accepted(gateway, { taskId, type, status, n }, { receivedAt: AT + n * 1_000 }))
  }
  const failed = { state: 'failed', reason: 'exhausted' } as const
  const retrying = { state: 'retrying', waitMs: 86_400_000 } as const
  await endDelivery(gateway, 'a', ids[0]!, failed)
  await endDelivery(gateway, 'b', ids[0]!, { state: 'delivered' })
  await endDelivery(gateway, 'a', ids[1]!, { state: 'delivered' })
  await endDelivery(gateway, 'b', ids[1]!, failed)
  await endDelivery(gateway, 'a', ids[2]!, retrying)
  await endDelivery(gateway, 'b', ids[2]!, failed)
  await giveUp(gateway.blocking, [{ eventId: ids[3]!, subscriber: 'a' }])
  await endDelivery(gateway, 'b', ids[4]!, retrying)
  policy.subscribers.push({ ...policy.subscribers[0]!, name: 'c' })
  return gateway
}

const order = (fields: Partial<ReplayOrder>): ReplayOrder => ({ kind: 'replay', filter: {}, state: 'failed', newId: false, ratePerSecond: null, ...fields })

/** Carries an order out; what it put back, as `subscriber task generation`. */
async function carryOut (gateway: Gateway, what: ReplayOrder): Promise<{ put: string[], matched: number, queued: number }> {
  const { blocking: store, queues, policy } = gateway
  const subscribers = (): typeof policy.subscribers => policy.subscribers
  const dry = await countSoFar(store, what, { subscribers: subscribers() })
  const id = await placeOrder(store, what)
  const runner = createOrderRunner({ store, queues, subscribers, windowMs: () => 600_000, report: () => {} })
  runner.start()
  await until('the replay is done', async () => (await readOrder(store, id))!.state === 'done')
  await runner.stop()
  const { matched, queued } = (await readOrder(store, id))!
  if (dry.matched !== matched || dry.atLeast === true) throw new Error(`a dry run counts ${dry.matched}, not ${matched}`)
  const put: string[] = []
  for (const { event, deliveries } of await allEvents(gateway)) {
    for (const { subscriber, replayId, generation, state, budgetUsed } of deliveries) {
      if (replayId !== id) continue
      if (budgetUsed !== 0) throw new Error('not a new budget')
      if (!await hasJob(gateway, subscriber, event.id, generation)) throw new Error('no job')
      put.push(`${subscriber} ${event.taskId} ${state} ${generation}`)
    }
  }
  return { put: put.sort(), matched, queued }
}

const TABLE: ReadonlyArray<[says: string, order: Partial<ReplayOrder>, puts: string[]]> = [
  ['the failed ones of everybody', {}, ['a t1 queued 2', 'b t2 queued 2', 'b t3 queued 2']],
  ['the failed ones of one subscriber, and of nobody else', { filter: { subscribers: ['b'] } }, ['b t2 queued 2', 'b t3 queued 2']],
  ['by type', { filter: { types: ['image*'] } }, ['b t2 queued 2', 'b t3 queued 2']],
  ['by status', { filter: { statuses: [1] } }, ['a t1 queued 2', 'b t2 queued 2']],
  ['since a time', { filter: { since: AT + 2_000 } }, ['b t3 queued 2']],
  ['until a time', { filter: { until: AT + 2_000 } }, ['a t1 queued 2', 'b t2 queued 2']],
  ['finished ones of a task, whatever their end', { state: 'finished', filter: { taskIds: ['t1', 't4'] } }, ['a t1 queued 2', 'a t4 queued 2', 'b t1 queued 2']],
  ['delivered ones', { state: 'delivered' }, ['a t2 queued 2', 'b t1 queued 2']],
  ['discarded ones', { state: 'discarded' }, ['a t4 queued 2']],
  ['retrying ones keep their job', { state: 'retrying' }, ['a t3 retrying 1', 'b t5 retrying 1']],
  ['held ones are released', { state: 'held' }, ['a t5 queued 2', 'b t5 queued 2']],
  ['any, but for what is queued already', { state: 'any', filter: { subscribers: ['a'] } }, ['a t1 queued 2', 'a t2 queued 2', 'a t3 retrying 1', 'a t4 queued 2', 'a t5 queued 2']],
  ['missing ones: what it wants and never had, but not what was kept late', { state: 'missing', filter: { subscribers: ['c'] } }, ['c t1 queued 1', 'c t2 queued 1', 'c t3 queued 1', 'c t4 queued 1', 'c t5 queued 1', 'c t5 queued 1']],
  ['missing ones of a type', { state: 'missing', filter: { subscribers: ['c'], types: ['image', 'video'] } }, ['c t3 queued 1']],
  ['missing ones of who has all', { state: 'missing', filter: { subscribers: ['a'] } }, []],
  ['nothing, when nothing fits', { filter: { types: ['nothing'] } }, []]
]
for (const [says, what, puts] of TABLE) {
  t.test(`a replay puts back ${says}`, async t => {
    const { put, matched, queued } = await carryOut(await record(t), order(what))
    t.strictSame(put, puts)
    t.strictSame([matched, queued], [puts.length, puts.length])
  })
}

t.test('a subscriber on hold is replayed to, and waits; its own hold is nothing to release', async t => {
  const gateway = await record(t)
  await setHold(gateway.blocking, 'b', 'pause')
  t.strictSame((await carryOut(gateway, order({ filter: { subscribers: ['b'] }, state: 'held' }))).put, ['b t5 queued 2'])
  t.strictSame((await carryOut(gateway, order({ filter: { subscribers: ['b'] } }))).put, ['b t2 queued 2', 'b t3 queued 2'])
})

t.test('deliveries to who is configured no more are not meant', async t => {
  const gateway = await record(t)
  gateway.policy.subscribers = gateway.policy.subscribers.filter(({ name }) => name !== 'b')
  t.strictSame((await carryOut(gateway, order({}))).put, ['a t1 queued 2'])
  gateway.policy.subscribers = []
  t.strictSame((await carryOut(gateway, order({ state: 'any' }))).put, [])
})

t.test('missing ones are those that accepting would have given it: the same bodies, the same answers', async t => {
  const policy = policyFor(['at-once'])
  const match = { statuses: [1], businessIds: ['7', 'team*'], fields: { 'avatarResult[].templateId': ['d69*', '12345678901234567890'], flag: ['true'] } }
  policy.subscribers[0]!.match = match
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy })
  const bodies = [
    '"businessId":"team-1","flag":true,"avatarResult":[{"templateId":"x"},{"templateId":"d69c"}]',
    '"businessId":7,"flag":"true","avatarResult":[{"templateId":12345678901234567890}]',
    '"businessId":7,"flag":true,"avatarResult":[{"templateId":12345678901234567891}]',
    '"businessId":7,"flag":false,"avatarResult":[{"templateId":"d69c"}]',
    '"businessId":"other","flag":true,"avatarResult":[{"templateId":"d69c"}]',
    '"businessId":"\\ud800","businessId":"team","flag":true,"avatarResult":[{"templateId":"d69c"}]',
    '"flag":true'
  ]
  for (const [n, fields] of bodies.entries()) {
    await gateway.accept({ ...callback({}), body: Buffer.from(`{"taskId":"t${n}","status":"1","type":"avatar",${fields}}`) })
  }
  await gateway.accept({ ...callback({}), body: Buffer.from(`{"taskId":"t8","status":2,"type":"avatar",${bodies[0]!}}`) })
  const had = (await allEvents(gateway)).filter(({ deliveries }) => deliveries.length > 0).map(({ event }) => event.taskId).sort()
  t.strictSame(had, ['t0', 't1', 't5'])
  policy.subscribers.push({ ...policy.subscribers[0]!, name: 'later' })
  const { put, matched } = await carryOut(gateway, order({ state: 'missing', filter: { subscribers: ['later'] } }))
  t.strictSame(put, had.map(taskId => `later ${taskId} queued 1`))
  t.equal(matched, 3)
  t.strictSame((await carryOut(gateway, order({ state: 'missing', filter: { subscribers: ['later'] } }))).put, [], 'and once')
})
