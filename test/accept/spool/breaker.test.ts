/**
 * When Redis is away nobody waits for it but the first few and one at a time
 * who tries; and it is used again as soon as somebody got through.
 */
import t, { type Test } from '../../support/tap.js'
import { RedisBreaker, type RedisBreakerState } from '../../../src/accept/spool/breaker.js'
import { until } from '../../support/until.js'

interface Scene {
  breaker: RedisBreaker
  /** Whether Redis takes writes; a promise answers when it is settled. */
  redis: { isThere: boolean, answer: Promise<void> | null, probes: number }
  /** Whether somebody waits who tries by himself. */
  waiting: { any: boolean }
  states: RedisBreakerState[]
  reasons: string[]
}

function setScene (t: Test, { hasWaiting = true } = {}): Scene {
  const redis = { isThere: true, answer: null as Promise<void> | null, probes: 0 }
  const waiting = { any: hasWaiting }
  const states: RedisBreakerState[] = []
  const reasons: string[] = []
  const breaker = new RedisBreaker({
    async probe () {
      redis.probes++
      await redis.answer
      if (!redis.isThere) throw new Error('no writes')
    },
    hasWaiting: () => waiting.any,
    onChange (state, reason) {
      states.push(state)
      reasons.push(reason)
    }
  })
  t.teardown(() => { breaker.stop() })
  return { breaker, redis, waiting, states, reasons }
}

t.test('closed, every call may be made at once', async t => {
  const { breaker, states, redis } = setScene(t)
  const passes = [breaker.enter(), breaker.enter(), breaker.enter()]
  t.match(passes, [{ isTrial: false }, { isTrial: false }, { isTrial: false }])
  for (const pass of passes) pass!.worked()
  t.strictSame([breaker.state(), states, redis.probes], ['closed', [], 0])
})

t.test('one failure opens it, and no call may be made until a probe has succeeded', async t => {
  const { breaker, redis, states, reasons } = setScene(t)
  redis.isThere = false
  const [one, other] = [breaker.enter()!, breaker.enter()!]
  one.failed('READONLY')
  other.failed('too late to be news')
  t.equal(breaker.enter(), null)
  await until('it is asked more than once', () => redis.probes >= 3)
  t.equal(breaker.enter(), null)
  redis.isThere = true
  await until('a probe succeeded', () => breaker.state() === 'half-open')
  t.strictSame([states, reasons[0]], [['open', 'half-open'], 'READONLY'])
})

async function halfOpen (t: Test): Promise<Scene> {
  const scene = setScene(t)
  scene.breaker.enter()!.failed('away')
  await until('half-open', () => scene.breaker.state() === 'half-open')
  return scene
}

t.test('half-open, one call at a time, and the first that succeeds closes it', async t => {
  const { breaker } = await halfOpen(t)
  const first = breaker.enter()
  t.match(first, { isTrial: true })
  t.equal(breaker.enter(), null, 'others do not wait with it')
  first!.unclear()
  const second = breaker.enter()
  t.match(second, { isTrial: true }, 'an answer that says nothing lets the next one try')
  second!.worked()
  t.equal(breaker.state(), 'closed')
  t.match(breaker.enter(), { isTrial: false })
})

t.test('half-open, a call that fails opens it again, and Redis is probed again', async t => {
  const { breaker, states, redis } = await halfOpen(t)
  const before = redis.probes
  breaker.enter()!.failed('still not')
  t.equal(breaker.state(), 'open')
  await until('probed, and half-open', () => breaker.state() === 'half-open')
  t.ok(redis.probes > before)
  t.strictSame(states, ['open', 'half-open', 'open', 'half-open'])
})

t.test('half-open, a Redis that goes away again is noticed without a call', async t => {
  const { breaker, redis } = await halfOpen(t)
  redis.isThere = false
  await until('open', () => breaker.state() === 'open')
})

t.test('what is told after things have changed is not heard', async t => {
  const { breaker } = setScene(t)
  const [slow, quick, lucky] = [breaker.enter()!, breaker.enter()!, breaker.enter()!]
  quick.failed('away')
  lucky.worked()
  t.equal(breaker.state(), 'open', 'a success from before')
  await until('half-open', () => breaker.state() === 'half-open')
  breaker.enter()!.worked()
  slow.failed('timed out in the outage that is over')
  t.equal(breaker.state(), 'closed', 'a failure from before')
})

t.test('when no callback waits, the first probe that succeeds closes it', async t => {
  const { breaker, states } = setScene(t, { hasWaiting: false })
  breaker.enter()!.failed('away')
  await until('closed', () => breaker.state() === 'closed')
  t.strictSame(states, ['open', 'closed'])
})

t.test('when what waited is gone another way, a probe closes it', async t => {
  const { breaker, waiting } = await halfOpen(t)
  waiting.any = false
  await until('closed', () => breaker.state() === 'closed')
})

t.test('a sign of life is followed at once', async t => {
  const { breaker, redis } = setScene(t)
  redis.isThere = false
  breaker.enter()!.failed('away')
  await until('the probe has failed', () => redis.probes === 1)
  redis.isThere = true
  breaker.probeNow()
  await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame([redis.probes, breaker.state()], [2, 'half-open'], 'no time passes')
})

t.test('a check of a closed breaker opens it when Redis is gone, and else changes nothing', async t => {
  const { breaker, redis, states } = setScene(t)
  t.equal(await breaker.check(), true)
  t.strictSame(states, [])
  redis.isThere = false
  t.equal(await breaker.check(), false)
  t.strictSame(states, ['open'])
})

t.test('stopped, it probes no more', async t => {
  const { breaker, redis } = setScene(t)
  redis.isThere = false
  breaker.enter()!.failed('away')
  await until('asked', () => redis.probes >= 1)
  breaker.stop()
  const { probes } = redis
  breaker.probeNow()
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(redis.probes, probes)
})
