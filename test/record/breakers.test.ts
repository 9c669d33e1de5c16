/**
 * The breaker in Redis: opened by what is recorded, moved on with time, proved
 * by one attempt, the same for all replicas.
 */
import t, { type Test } from '../support/tap.js'
import type { BreakerRules } from '../../src/model/breaker.js'
import type { Outcome } from '../../src/model/outcome.js'
import type { NextState } from '../../src/model/work.js'
import { readTrial, stepBreakers, type BreakerChange } from '../../src/record/breakers.js'
import { clearHold, readHolds, setHold } from '../../src/record/holds.js'
import { readSubscribers } from '../../src/record/read-subscribers.js'
import { readEvent } from '../../src/record/read-event.js'
import { startRedis } from '../support/redis.js'
import { accepted, attemptOf, openGateway, policyFor, recordAttempts, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

/** A window that no test outlasts; open for a moment. */
const RULES: BreakerRules = { share: 0.5, failures: 4, windowMs: 86_400_000, openForMs: 50, maxOpenForMs: 100 }
const FAILED: Outcome = { kind: 'retry', reason: 'server-error', status: 503 }
const REFUSED: Outcome = { kind: 'retry', reason: 'rejected', status: 400 }
const DELIVERED: Outcome = { kind: 'delivered', status: 204 }

let prefixes = 0
interface Scene { gateway: Gateway, eventId: string }
async function open (t: Test): Promise<Scene> {
  const gateway = await openGateway(t, server, { prefix: `b${++prefixes}`, policy: policyFor(['a']) })
  return { gateway, eventId: await accepted(gateway, { taskId: 't' }) }
}

interface Attempted { outcome: Outcome | null, times?: number, rules?: BreakerRules | null, next?: NextState }

/** So many attempts for the same delivery, in one call. */
async function attempt ({ gateway, eventId }: Scene, { outcome, times = 1, rules = RULES, next = { state: 'retrying', waitMs: 0 } }: Attempted): Promise<void> {
  const results = Array.from({ length: times }, () => ({
    eventId, subscriber: 'a', generation: 1, attempt: attemptOf({ error: 'x' }), outcome, usesBudget: outcome !== null, next
  }))
  await recordAttempts(gateway.blocking, results, () => rules)
}

const stateOf = async ({ gateway }: Scene): Promise<string> => (await readSubscribers(gateway.blocking))[0]!.breaker
const step = async ({ gateway }: Scene, hasBreaker = true): Promise<BreakerChange[]> => await stepBreakers(gateway.blocking, [{ name: 'a', hasBreaker }])

async function stepUntil (scene: Scene, to: BreakerChange['to']): Promise<void> {
  await until(to, async () => (await step(scene)).some(change => change.to === to))
}

t.test('it opens with the failure that makes it both enough and most, and not before', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: DELIVERED, times: 5, next: { state: 'unchanged' } })
  await attempt(scene, { outcome: FAILED, times: 4 })
  t.equal(await stateOf(scene), 'closed', '4 of 9')
  await attempt(scene, { outcome: FAILED })
  t.equal(await stateOf(scene), 'open', '5 of 10')
  t.equal((await readHolds(scene.gateway.blocking)).get('a')?.by, 'breaker')
})

t.test('few failures open nothing, even when all fail', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: FAILED, times: 3 })
  t.equal(await stateOf(scene), 'closed')
})

t.test('a poison event that is refused again and again opens nothing, nor does what we cut off ourselves', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: REFUSED, times: 40 })
  await attempt(scene, { outcome: null, times: 40, next: { state: 'unchanged' } })
  t.equal(await stateOf(scene), 'closed')
})

t.test('who has no breaker is never held', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: FAILED, times: 40, rules: null })
  t.equal(await stateOf(scene), 'closed')
})

t.test('what failed in a window long over does not count', async t => {
  const scene = await open(t)
  const short = { ...RULES, windowMs: 20 }
  await attempt(scene, { outcome: FAILED, times: 3, rules: short })
  const start = Date.now()
  await until('two windows are over', () => Date.now() > start + 50)
  await attempt(scene, { outcome: FAILED, times: 3, rules: short })
  t.equal(await stateOf(scene), 'closed')
})

t.test('it is told once that it is open; then one is tried, and a success lets more through, twice as many each half second, until it is closed four seconds later', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: FAILED, times: 4, rules: { ...RULES, openForMs: 3_600_000, maxOpenForMs: 3_600_000 } })
  t.strictSame([await step(scene), await step(scene)], [[{ subscriber: 'a', to: 'open' }], []])
  await scene.gateway.blocking.redis.hset(scene.gateway.keys.subscriber('a'), 'breaker:until', Date.now()) // an hour later
  await stepUntil(scene, 'half-open')
  t.strictSame([await stateOf(scene), await readTrial(scene.gateway.blocking, 'a')], ['half-open', { state: 'half-open' }])
  t.equal((await readHolds(scene.gateway.blocking)).get('a'), null)
  await attempt(scene, { outcome: REFUSED })
  t.strictSame(await readTrial(scene.gateway.blocking, 'a'), { state: 'closing', perSecond: 8 })
  await stepUntil(scene, 'closing')
  t.strictSame(await readTrial(scene.gateway.blocking, 'a'), { state: 'closing', perSecond: 16 })
  await stepUntil(scene, 'closed')
  t.strictSame([await stateOf(scene), await readTrial(scene.gateway.blocking, 'a')], ['closed', null])
})

t.test('while it closes, few failures among many do not open it, and as many as the share do', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: FAILED, times: 4 })
  await stepUntil(scene, 'half-open')
  await attempt(scene, { outcome: REFUSED })
  await attempt(scene, { outcome: REFUSED, times: 5 })
  await attempt(scene, { outcome: FAILED, times: 4 })
  t.equal((await readTrial(scene.gateway.blocking, 'a'))?.state, 'closing', '4 of 9')
  await attempt(scene, { outcome: FAILED })
  t.equal(await stateOf(scene), 'open', '5 of 10')
})

t.test('a trial that fails opens it again, for longer, and costs the delivery no attempt', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: FAILED, times: 4 })
  const key = scene.gateway.keys.subscriber('a')
  const { redis } = scene.gateway.blocking
  const openedMs = async (): Promise<number> => {
    const [until, since] = await redis.hmget(key, 'breaker:until', 'hold:breaker')
    return Number(until) - Number(since)
  }
  t.equal(await openedMs(), 50)
  for (const wanted of [100, 100]) {
    await stepUntil(scene, 'half-open')
    await attempt(scene, { outcome: FAILED, next: { state: 'failed', reason: 'exhausted' } })
    t.equal(await stateOf(scene), 'open')
    t.equal(await openedMs(), wanted, 'no longer than it may')
  }
  const { deliveries: [delivery] } = (await readEvent(scene.gateway.blocking, scene.eventId))!
  t.match(delivery, { state: 'retrying', attempts: 6, budgetUsed: 4 })
})

t.test('it never touches what an operator holds, and its clock stands still for as long as anybody does', async t => {
  const scene = await open(t)
  await setHold(scene.gateway.blocking, 'a', 'pause')
  await attempt(scene, { outcome: FAILED, times: 4 })
  await stepUntil(scene, 'half-open')
  t.equal((await readHolds(scene.gateway.blocking)).get('a')?.by, 'pause')
  const { redis } = scene.gateway.blocking
  t.ok(await redis.hexists(scene.gateway.keys.subscriber('a'), 'heldSince'))
  await clearHold(scene.gateway.blocking, 'a', 'pause')
  t.notOk(await redis.hexists(scene.gateway.keys.subscriber('a'), 'heldSince'))
  t.equal(await stateOf(scene), 'half-open')
})

for (const when of ['open', 'half-open'] as const) {
  t.test(`switched off while it is ${when}, it is closed and lets go`, async t => {
    const scene = await open(t)
    await attempt(scene, { outcome: FAILED, times: 4 })
    if (when === 'half-open') await stepUntil(scene, 'half-open')
    t.strictSame(await step(scene, false), [{ subscriber: 'a', to: 'closed' }])
    t.strictSame([await stateOf(scene), (await readHolds(scene.gateway.blocking)).get('a')], ['closed', null])
    t.strictSame(await step(scene, false), [])
  })
}

t.test('a change is made by one of the replicas that look', async t => {
  const scene = await open(t)
  await attempt(scene, { outcome: FAILED, times: 4, rules: { ...RULES, openForMs: 60_000, maxOpenForMs: 60_000 } })
  t.equal((await Promise.all(Array.from({ length: 8 }, async () => await step(scene)))).flat().length, 1)
})

t.test('an open breaker does not stay open longer because Redis\'s clock was set back', async t => {
  const scene = await open(t)
  const { keys, blocking: { redis } } = scene.gateway
  const anHourLater = Date.now() + 3_600_000
  await redis.hset(keys.subscriber('a'), 'hold:breaker', anHourLater, 'breaker:until', anHourLater + 60_000, 'breaker:opened', 1)
  t.strictSame(await step(scene), [{ subscriber: 'a', to: 'half-open' }])
})

/** How long a subscriber was throttled, and whether it is tried afterwards. */
const THROTTLED: ReadonlyArray<[says: string, fields: (now: number) => [began: number, ends: number], isOver: boolean, isTried: boolean]> = [
  ['a short throttle ends by itself', now => [now - 10_000, now - 1], true, false],
  ['after a long one it is tried first', now => [now - 120_000, now - 1], true, true],
  ['one that is not over stays', now => [now - 10_000, now + 60_000], false, false],
  ['one of a clock that was set back is over', now => [now + 3_600_000, now + 3_660_000], true, false]
]
for (const [says, fields, isOver, isTried] of THROTTLED) {
  t.test(says, async t => {
    const scene = await open(t)
    const { keys, blocking } = scene.gateway
    const [began, ends] = fields(Date.now())
    await blocking.redis.hset(keys.subscriber('a'), 'hold:throttle', began, 'throttle:until', ends)
    t.strictSame(await step(scene), isOver ? [{ subscriber: 'a', to: 'released' }] : [])
    t.equal((await readHolds(blocking)).get('a')?.by, isOver ? undefined : 'throttle')
    t.strictSame(await readTrial(blocking, 'a'), isTried ? { state: 'half-open' } : null)
  })
}
