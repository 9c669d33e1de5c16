/**
 * Holds are separate facts, survive restarts, and stop the clock that `maxAge`
 * goes by. The clock is set by hand here: nothing waits.
 */
import t, { type Test } from '../support/tap.js'
import type { SubscriberHold } from '../../src/model/delivery.js'
import { readTrial } from '../../src/record/breakers.js'
import { clearHold, readHolds, resumeSubscriber, setHold } from '../../src/record/holds.js'
import { readEvent } from '../../src/record/read-event.js'
import { readSubscribers } from '../../src/record/read-subscribers.js'
import { startRedis } from '../support/redis.js'
import { accepted, openDelivery, openGateway, policyFor, type Gateway } from '../support/relay.js'

const server = await startRedis()
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, names = ['a', 'b']): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names) })
}

async function ageOf (gateway: Gateway, eventId: string): Promise<number> {
  const opened = await openDelivery(gateway.blocking, { subscriber: 'a', eventId, generation: 1 })
  if (opened === null || typeof opened === 'number') throw new Error('it is not open')
  return opened.ageMs
}

t.test('a hold is set once and cleared once', async t => {
  const { blocking } = await open(t)
  t.equal(await setHold(blocking, 'a', 'pause'), true)
  t.equal(await setHold(blocking, 'a', 'pause'), false)
  t.equal(await clearHold(blocking, 'a', 'breaker'), false)
  t.equal(await clearHold(blocking, 'a', 'pause'), true)
  t.equal(await clearHold(blocking, 'a', 'pause'), false)
})

t.test('each hold is a fact of its own; the heaviest is shown', async t => {
  const { blocking } = await open(t)
  const shown: Array<SubscriberHold | undefined> = []
  for (const hold of ['breaker', 'pause', 'gone', 'disabled', 'removed'] as const) {
    await setHold(blocking, 'a', hold)
    shown.push((await readHolds(blocking)).get('a')?.by)
  }
  t.strictSame(shown, ['breaker', 'pause', 'gone', 'disabled', 'removed'])
  t.strictSame((await readSubscribers(blocking))[0]!.holds, ['removed', 'disabled', 'gone', 'pause', 'breaker'])
  for (const hold of ['removed', 'disabled', 'gone', 'pause', 'breaker'] as const) await clearHold(blocking, 'a', hold)
  t.strictSame(await readHolds(blocking), new Map([['a', null], ['b', null]]))
})

t.test('a delivery is shown as held while its subscriber is, and is what it was afterwards', async t => {
  const gateway = await open(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  await setHold(gateway.blocking, 'a', 'gone')
  const shown = async (): Promise<unknown[]> => (await readEvent(gateway.blocking, eventId))!.deliveries.map(({ shown: { state, heldBy } }) => ({ state, heldBy }))
  t.strictSame(await shown(), [{ state: 'held', heldBy: 'gone' }, { state: 'queued', heldBy: null }])
  await clearHold(gateway.blocking, 'a', 'gone')
  t.strictSame(await shown(), [{ state: 'queued', heldBy: null }, { state: 'queued', heldBy: null }])
})

t.test('holds survive a kill -9 of Redis', async t => {
  const own = await startRedis()
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a']) })
  await setHold(gateway.blocking, 'a', 'pause')
  await own.restart()
  t.strictSame(await readHolds(gateway.blocking), new Map([['a', { by: 'pause', untilMs: null }]]))
})

t.test('time on hold does not count as age', async t => {
  const gateway = await open(t)
  const { blocking: { redis }, blocking, keys } = gateway
  const eventId = await accepted(gateway, { taskId: 't1' })
  const HOUR = 3_600_000

  await setHold(blocking, 'a', 'pause')
  await setHold(blocking, 'a', 'breaker')
  const since = Number(await redis.hget(keys.subscriber('a'), 'heldSince'))
  await redis.hset(keys.subscriber('a'), 'heldSince', since - HOUR) // as if the hold had begun an hour ago
  await clearHold(blocking, 'a', 'pause')
  t.equal(await redis.hget(keys.subscriber('a'), 'heldTotal'), null, 'the clock stands while one hold is left')
  await clearHold(blocking, 'a', 'breaker')
  const total = Number(await redis.hget(keys.subscriber('a'), 'heldTotal'))
  t.ok(total >= HOUR && total < HOUR + 60_000)
  t.equal(await redis.hexists(keys.subscriber('a'), 'heldSince'), 0)
  t.ok(await ageOf(gateway, eventId) < 60_000, 'an hour on hold has not aged it')
})

t.test('what is queued during a hold is new when the hold ends', async t => {
  const gateway = await open(t)
  const { blocking: { redis }, blocking, keys } = gateway
  await setHold(blocking, 'a', 'pause')
  const since = Date.now() - 3_600_000
  await redis.hset(keys.subscriber('a'), 'heldSince', since)
  const eventId = await accepted(gateway, { taskId: 't1' })
  t.equal((await readEvent(blocking, eventId))!.deliveries[0]!.queuedAt, since, 'its clock stands where the hold began')
  await clearHold(blocking, 'a', 'pause')
  t.ok(await ageOf(gateway, eventId) < 60_000)
})

t.test('time before and after a hold does count', async t => {
  const gateway = await open(t)
  const { blocking: { redis }, blocking, keys } = gateway
  await redis.hset(keys.subscriber('a'), 'heldTotal', 5_000)
  const eventId = await accepted(gateway, { taskId: 't1' })
  await redis.hset(keys.subscriber('a'), 'heldTotal', 3_000) // as if it had been queued 2 s ago
  const age = await ageOf(gateway, eventId)
  t.ok(age >= 2_000 && age < 60_000, `${age}`)
  await setHold(blocking, 'a', 'pause')
  await clearHold(blocking, 'a', 'pause')
  t.ok(await ageOf(gateway, eventId) >= 2_000)
})

t.test('an operator who resumes a subscriber ends what can be ended, and tries an open breaker', async t => {
  const { blocking } = await open(t, ['a'])
  t.strictSame(await resumeSubscriber(blocking, 'a'), [])
  for (const hold of ['pause', 'gone', 'throttle', 'breaker', 'disabled'] as const) await setHold(blocking, 'a', hold)
  t.strictSame(await resumeSubscriber(blocking, 'a'), ['pause', 'gone', 'throttle', 'breaker'])
  t.strictSame((await readSubscribers(blocking))[0]!.holds, ['disabled'])
  t.strictSame(await readTrial(blocking, 'a'), { state: 'half-open' })
})
