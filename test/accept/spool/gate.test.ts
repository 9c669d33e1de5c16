/**
 * When Redis is away nobody waits for it but the first few and one at a time
 * who tries; and it is used again as soon as somebody got through.
 */
import t, { type Test } from '../../support/tap.js'
import { Gate, type GateState } from '../../../src/accept/spool/gate.js'
import { until } from '../../support/until.js'

interface Scene {
  gate: Gate
  /** Whether Redis takes writes; a promise answers when it is settled. */
  redis: { isThere: boolean, answer: Promise<void> | null, probes: number }
  /** Whether somebody waits who tries by himself. */
  waiting: { any: boolean }
  states: GateState[]
  reasons: string[]
}

function setScene (t: Test, { hasWaiting = true } = {}): Scene {
  const redis = { isThere: true, answer: null as Promise<void> | null, probes: 0 }
  const waiting = { any: hasWaiting }
  const states: GateState[] = []
  const reasons: string[] = []
  const gate = new Gate({
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
  t.teardown(() => { gate.close() })
  return { gate, redis, waiting, states, reasons }
}

t.test('open, everybody enters at once', async t => {
  const { gate, states, redis } = setScene(t)
  const passes = [gate.enter(), gate.enter(), gate.enter()]
  t.match(passes, [{ isTrial: false }, { isTrial: false }, { isTrial: false }])
  for (const pass of passes) pass!.worked()
  t.strictSame([gate.state(), states, redis.probes], ['open', [], 0])
})

t.test('one failure shuts it, and nobody enters until a probe got through', async t => {
  const { gate, redis, states, reasons } = setScene(t)
  redis.isThere = false
  const [one, other] = [gate.enter()!, gate.enter()!]
  one.failed('READONLY')
  other.failed('too late to be news')
  t.equal(gate.enter(), null)
  await until('it is asked more than once', () => redis.probes >= 3)
  t.equal(gate.enter(), null)
  redis.isThere = true
  await until('a probe got through', () => gate.state() === 'ajar')
  t.strictSame([states, reasons[0]], [['shut', 'ajar'], 'READONLY'])
})

async function ajar (t: Test): Promise<Scene> {
  const scene = setScene(t)
  scene.gate.enter()!.failed('away')
  await until('ajar', () => scene.gate.state() === 'ajar')
  return scene
}

t.test('ajar, one at a time tries, and the first who is served opens', async t => {
  const { gate } = await ajar(t)
  const first = gate.enter()
  t.match(first, { isTrial: true })
  t.equal(gate.enter(), null, 'others do not wait with it')
  first!.unclear()
  const second = gate.enter()
  t.match(second, { isTrial: true }, 'an answer that says nothing lets the next one try')
  second!.worked()
  t.equal(gate.state(), 'open')
  t.match(gate.enter(), { isTrial: false })
})

t.test('ajar, one who fails shuts it again, and it is asked again', async t => {
  const { gate, states, redis } = await ajar(t)
  const before = redis.probes
  gate.enter()!.failed('still not')
  t.equal(gate.state(), 'shut')
  await until('asked, and ajar', () => gate.state() === 'ajar')
  t.ok(redis.probes > before)
  t.strictSame(states, ['shut', 'ajar', 'shut', 'ajar'])
})

t.test('ajar, a Redis that goes away again is noticed without anybody trying', async t => {
  const { gate, redis } = await ajar(t)
  redis.isThere = false
  await until('shut', () => gate.state() === 'shut')
})

t.test('what is told after things have changed is not heard', async t => {
  const { gate } = setScene(t)
  const [slow, quick, lucky] = [gate.enter()!, gate.enter()!, gate.enter()!]
  quick.failed('away')
  lucky.worked()
  t.equal(gate.state(), 'shut', 'a success from before')
  await until('ajar', () => gate.state() === 'ajar')
  gate.enter()!.worked()
  slow.failed('timed out in the outage that is over')
  t.equal(gate.state(), 'open', 'a failure from before')
})

t.test('with nothing that waits, the first probe that gets through opens it', async t => {
  const { gate, states } = setScene(t, { hasWaiting: false })
  gate.enter()!.failed('away')
  await until('open', () => gate.state() === 'open')
  t.strictSame(states, ['shut', 'open'])
})

t.test('when what waited is gone another way, a probe opens it', async t => {
  const { gate, waiting } = await ajar(t)
  waiting.any = false
  await until('open', () => gate.state() === 'open')
})

t.test('a sign of life is followed at once', async t => {
  const { gate, redis } = setScene(t)
  redis.isThere = false
  gate.enter()!.failed('away')
  await until('the probe has failed', () => redis.probes === 1)
  redis.isThere = true
  gate.probeNow()
  await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame([redis.probes, gate.state()], [2, 'ajar'], 'no time passes')
})

t.test('a check of an open gate shuts it when Redis is gone, and else changes nothing', async t => {
  const { gate, redis, states } = setScene(t)
  t.equal(await gate.check(), true)
  t.strictSame(states, [])
  redis.isThere = false
  t.equal(await gate.check(), false)
  t.strictSame(states, ['shut'])
})

t.test('closed, it asks no more', async t => {
  const { gate, redis } = setScene(t)
  redis.isThere = false
  gate.enter()!.failed('away')
  await until('asked', () => redis.probes >= 1)
  gate.close()
  const { probes } = redis
  gate.probeNow()
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(redis.probes, probes)
})
