/**
 * A subscriber that is configured no more is forgotten when nothing of it is
 * left, and not before; configured again, it begins anew.
 */
import t, { type Test } from '../support/tap.js'
import { createForgetSubscribers } from '../../src/queue/forget-subscribers.js'
import { createConfiguredHolds } from '../../src/record/configured-holds.js'
import { setHold } from '../../src/record/holds.js'
import { readSubscriber, readSubscribers } from '../../src/record/read-subscribers.js'
import { sweep } from '../../src/record/sweep.js'
import { startRedis } from '../support/redis.js'
import { accepted, endDelivery, giveUp, openGateway, policyFor, recordingDeliver, subscriberNamed, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

const NOW = { eventsMs: 0, failedMs: 0, windowMs: 0 }

let prefixes = 0
async function open (t: Test): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b']) })
}

/** The configuration has these entries from now on. */
async function configure ({ blocking, policy }: Gateway, ...names: string[]): Promise<void> {
  policy.subscribers.splice(0, Infinity, ...names.map(name => subscriberNamed(name)))
  await createConfiguredHolds(blocking).takeUp(policy.subscribers)
}

/** One round. @returns whether `a` was forgotten */
async function forget (gateway: Gateway, step = 500): Promise<boolean> {
  return (await forgetOf(gateway, step)(['a'])).includes('a')
}

function forgetOf ({ blocking, queues }: Gateway, step = 500): ReturnType<typeof createForgetSubscribers> {
  return createForgetSubscribers({ ...blocking, queues, step })
}

async function keysNaming ({ blocking: { redis }, keys }: Gateway, name: string): Promise<string[]> {
  return (await redis.keys(`{${keys.prefix}}:*`)).filter(key => key.split(':').includes(name))
}

t.test('one with nothing left is forgotten: no key names it, and nobody lists it', async t => {
  const gateway = await open(t)
  const { deliver } = recordingDeliver(({ event }) => event.taskId === 'fails' ? { state: 'failed', reason: 'exhausted' } : { state: 'delivered' })
  gateway.policy.subscribers[0]!.rateLimit = { max: 100, perMs: 1_000 }
  const workers = await gateway.work(deliver)
  await accepted(gateway, { taskId: 'sent' })
  await accepted(gateway, { taskId: 'fails' })
  await until('all are over', async () => (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  await configure(gateway, 'b')
  await workers.stop(0)
  t.equal(await forget(gateway), false, 'one has failed and can be replayed')
  await sweep(gateway.blocking, NOW)
  t.ok((await keysNaming(gateway, 'a')).length > 0)
  t.equal(await forget(gateway), true)
  t.strictSame(await keysNaming(gateway, 'a'), [])
  t.strictSame((await readSubscribers(gateway.blocking)).map(({ name }) => name), ['b'])
})

t.test('one that is configured is never forgotten', async t => {
  const gateway = await open(t)
  t.equal(await forget(gateway), false)
  t.strictSame((await readSubscribers(gateway.blocking)).map(({ name }) => name), ['a', 'b'])
})

type Step = (gateway: Gateway, eventId: string) => Promise<unknown>
const LEFT: ReadonlyArray<[what: string, make: Step]> = [
  ['a delivery that waits', async () => {}],
  ['a failed delivery', async (gateway, id) => { await endDelivery(gateway, 'a', id, { state: 'failed', reason: 'exhausted' }) }],
  ['an event that it was delivered', async (gateway, id) => { await endDelivery(gateway, 'a', id, { state: 'delivered' }) }],
  ['an event of which its delivery was given up', async (gateway, id) => { await giveUp(gateway.blocking, [{ eventId: id, subscriber: 'a' }]) }]
]
for (const [what, make] of LEFT) {
  t.test(`while there is ${what} it stays`, async t => {
    const gateway = await open(t)
    await make(gateway, await accepted(gateway, { taskId: 't1' }))
    await configure(gateway, 'b')
    t.equal(await forget(gateway), false)
    t.ok(await readSubscriber(gateway.blocking, 'a'))
  })
}

t.test('a job that is under way keeps it; what is left in its lines for nothing does not', async t => {
  const gateway = await open(t)
  const { blocking: { redis }, keys } = gateway
  await configure(gateway, 'b')
  const base = `${keys.queuePrefix}:a:`
  await redis.rpush(base + 'active', 'evt_1-1')
  await redis.hset(base + 'evt_1-1', 'name', 'deliver')
  await redis.set(base + 'evt_1-1:lock', 'token')
  t.equal(await forget(gateway), false)
  await redis.del(base + 'evt_1-1:lock')
  await redis.rpush(base + 'wait', 'evt_2-1')
  await redis.zadd(base + 'delayed', 1, 'evt_3-1')
  for (const job of ['evt_2-1', 'evt_3-1']) await redis.hset(base + job, 'name', 'deliver')
  const forgetRemoved = forgetOf(gateway)
  await until('it is forgotten', async () => (await forgetRemoved(['a'])).length > 0)
  t.strictSame(await keysNaming(gateway, 'a'), [])
})

t.test('a large record is looked through bit by bit, and again from where an event stood that has gone', async t => {
  const gateway = await open(t)
  await configure(gateway, 'b')
  for (let n = 0; n < 5; n++) await accepted(gateway, { taskId: `before${n}` })
  await configure(gateway, 'a', 'b')
  const named = await accepted(gateway, { taskId: 'named' })
  await configure(gateway, 'b')
  for (let n = 0; n < 5; n++) await accepted(gateway, { taskId: `after${n}` })
  await endDelivery(gateway, 'a', named, { state: 'delivered' })
  await endDelivery(gateway, 'b', named, { state: 'delivered' })
  const forgetRemoved = forgetOf(gateway, 3)
  for (let rounds = 0; rounds < 6; rounds++) t.strictSame(await forgetRemoved(['a']), [])
  await sweep(gateway.blocking, NOW)
  let rounds = 1
  while ((await forgetRemoved(['a'])).length === 0) rounds++
  t.equal(rounds, 2, 'the five before it are not looked at again')
})

t.test('one that is configured again begins anew, and is delivered to', async t => {
  const gateway = await open(t)
  await setHold(gateway.blocking, 'a', 'pause')
  await configure(gateway, 'b')
  t.equal(await forget(gateway), true)
  await configure(gateway, 'a', 'b')
  t.match(await readSubscriber(gateway.blocking, 'a'), { holds: [], counts: { open: 0, held: 0, failed: 0, delivered: 0 }, lastSuccessAt: null })
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await accepted(gateway, { taskId: 't1' })
  await until('it is sent', () => sent.some(({ subscriber }) => subscriber === 'a'))
})

t.test('it works on a full Redis', async t => {
  const own = await startRedis(['--appendfsync', 'no'])
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a', 'b']) })
  await configure(gateway, 'b')
  await gateway.blocking.redis.config('SET', 'maxmemory', '1')
  t.equal(await forget(gateway), true)
})
