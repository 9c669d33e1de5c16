/** Who is told, by real HTTP servers that take it, refuse it or hang; the clock is the test's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from '../support/tap.js'
import { createAlerts, toldOf, type Alerts, type AlertsOptions, type AlertStore, type TrueConditions } from '../../src/alerts/alerts.js'
import { createNotifier } from '../../src/alerts/notifier.js'
import { createOwnStore } from '../../src/alerts/own-store.js'
import type { Alert, Condition, Receiver } from '../../src/model/alert.js'
import type { Fact } from '../../src/model/fact.js'
import { type TestContext } from '../support/scene.js'
import { answers, startSubscriber, type Behaviour, type TestSubscriber } from '../support/subscriber.js'
import { conditionOf, receiverAt } from './alert.js'
import { until } from '../support/until.js'

/** In memory, as what it was given; fails when it is told to. */
function storeOf (): AlertStore & { alerts: Alert[], fails: boolean } {
  return {
    alerts: [],
    fails: false,
    async read () { return this.alerts },
    async save (alerts) {
      if (this.fails) throw new Error('no space left')
      this.alerts = [...alerts]
    }
  }
}

interface Stage {
  alerts: Alerts
  /** What is true; the test changes it. */
  seen: { now: TrueConditions | null }
  own: ReturnType<typeof storeOf>
  shared: ReturnType<typeof storeOf>
  facts: Fact[]
  /** How many times was looked. */
  looks: () => number
  /** Seconds go by. */
  pass: (seconds: number) => void
}

/** Looks all the time, so that a test waits for a look and never for a clock. */
function setStage (t: TestContext, receivers: Receiver[], more: Partial<AlertsOptions> = {}): Stage {
  let now = 1_700_000_000_000
  let looks = 0
  const clock = (): number => now
  const seen: Stage['seen'] = { now: { conditions: [], subscribers: [] } }
  const facts: Fact[] = []
  const report = (fact: Fact): void => { facts.push(fact) }
  const [own, shared] = [storeOf(), storeOf()]
  const alerts = createAlerts({
    async snapshot () {
      looks++
      return seen.now
    },
    // Looked for anew every millisecond; what that means in time only the clock of the test says.
    policy: () => ({ afterMs: 1, repeatMs: 3_600_000, receivers }),
    own,
    shared,
    isSpeaker: () => true,
    notifier: createNotifier({ relay: 'relay', version: '1.2.3', report, clock }),
    report,
    clock,
    ...more
  })
  t.teardown(alerts.stop)
  alerts.start()
  return { alerts, seen, own, shared, facts, looks: () => looks, pass: seconds => { now += seconds * 1_000 } }
}

async function receiving (t: TestContext, behaviour: Behaviour = answers.ok): Promise<TestSubscriber> {
  const server = await startSubscriber(behaviour)
  t.teardown(server.close)
  return server
}

function seeing (...conditions: Condition[]): TrueConditions {
  return { conditions, subscribers: [] }
}

/** The types of the messages that arrived. */
function typesOf ({ received }: TestSubscriber): string[] {
  return received.map(({ body }) => (JSON.parse(body.toString()) as { type: string }).type)
}

/** Waits for two whole looks from now. */
async function looked ({ looks }: Stage): Promise<void> {
  const before = looks()
  await until(() => looks() >= before + 3 || undefined)
}

t.test('a receiver is told what begins and what is over, and so is the log', async t => {
  const onCall = await receiving(t)
  const stage = setStage(t, [receiverAt(onCall.url)])
  stage.seen.now = seeing(conditionOf('redis-away', { severity: 'critical' }))
  await looked(stage)
  t.strictSame(onCall.received, [], 'not before it has lasted')
  stage.pass(1)
  await onCall.waitFor(1)
  t.match(await until(async () => {
    const current = await stage.alerts.current()
    return current.some(alert => toldOf(alert).length > 0) ? current : undefined
  }), [{ name: 'redis-away', since: 1_700_000_000_000 }])
  stage.seen.now = seeing()
  await looked(stage)
  stage.pass(1)
  await onCall.waitFor(2)
  t.strictSame(typesOf(onCall), ['alert.raised', 'alert.resolved'])
  await until(() => stage.own.alerts.length === 0 || undefined)
  t.strictSame(await stage.alerts.current(), [])
  t.match(stage.facts, [{ fact: 'alert.raised', name: 'redis-away' }, { fact: 'alert.resolved' }])
})

t.test('while Redis is away this process tells what it knows; of the relay nothing is known, so nothing is over', async t => {
  const onCall = await receiving(t)
  const stage = setStage(t, [receiverAt(onCall.url)])
  stage.seen.now = seeing(conditionOf('memory-short', { of: 'relay' }))
  await looked(stage)
  stage.pass(1)
  await onCall.waitFor(1)
  stage.seen.now = { conditions: [conditionOf('redis-away')], subscribers: null }
  await looked(stage)
  stage.pass(1)
  await onCall.waitFor(2)
  await looked(stage)
  t.strictSame(onCall.received.map(({ body }) => (JSON.parse(body.toString()) as { data: { name: string } }).data.name), ['memory-short', 'redis-away'])
  t.strictSame((await stage.alerts.current()).map(({ name }) => name), ['memory-short', 'redis-away'])
})

t.test('one that does not speak for the relay tells only of itself', async t => {
  const onCall = await receiving(t)
  const stage = setStage(t, [receiverAt(onCall.url)], { isSpeaker: () => false })
  stage.seen.now = seeing(conditionOf('memory-short', { of: 'relay' }), conditionOf('spool-waiting'))
  await looked(stage)
  stage.pass(1)
  await onCall.waitFor(1)
  await looked(stage)
  t.match(JSON.parse(onCall.received[0]!.body.toString()), { data: { name: 'spool-waiting' } })
  t.equal(onCall.received.length, 1)
  t.strictSame(stage.shared.alerts, [])
})

t.test('a receiver that refuses or hangs keeps nobody waiting, is asked later and later, and is told in the end', async t => {
  const [refusing, hanging, well] = [await receiving(t, answers.status(500)), await receiving(t, answers.hang), await receiving(t)]
  const receivers = [receiverAt(refusing.url, { name: 'refusing' }), receiverAt(hanging.url, { name: 'hanging' }), receiverAt(well.url, { name: 'well' })]
  // Days may go by on the test's clock while a receiver hangs; nobody is to be reminded in them.
  const stage = setStage(t, [], { policy: () => ({ afterMs: 1, repeatMs: Number.MAX_SAFE_INTEGER, receivers }) })
  stage.seen.now = seeing(conditionOf('redis-away'))
  await looked(stage)
  stage.pass(1)
  await well.waitFor(1)
  await looked(stage)
  t.equal(refusing.received.length, 1, 'it is not asked again at once')
  t.match(stage.facts.filter(({ fact }) => fact === 'alert.receiver').sort((one, other) => JSON.stringify(one) < JSON.stringify(other) ? -1 : 1), [
    { receiver: 'hanging', state: 'refuses', error: /no complete answer within 5000 ms/ }, { receiver: 'refusing', state: 'refuses', error: 'answered 500' }
  ])
  t.equal(stage.facts.filter(({ fact }) => fact === 'alert.raised').length, 1)
  for (const behaviour of [answers.status(500), answers.ok]) {
    refusing.behave(behaviour)
    hanging.behave(behaviour)
    const before = [refusing.received.length, hanging.received.length] as const
    await until(() => {
      stage.pass(30)
      return (refusing.received.length > before[0] && hanging.received.length > before[1]) || undefined
    })
  }
  await until(async () => (await stage.alerts.current()).some(alert => toldOf(alert).length === 3) || undefined)
  t.equal(new Set([...refusing.received, ...hanging.received].map(({ headers }) => headers['webhook-id'])).size, 1, 'under the same id each time')
  t.equal(well.received.length, 1)
  t.strictSame(stage.facts.filter(told => told.fact === 'alert.receiver' && told.state === 'takes').length, 2)
})

t.test('a receiver that a reload has corrected is asked at once', async t => {
  const [refusing, well] = [await receiving(t, answers.status(401)), await receiving(t)]
  const receivers = [receiverAt(refusing.url)]
  const stage = setStage(t, receivers)
  stage.seen.now = seeing(conditionOf('redis-away'))
  await looked(stage)
  stage.pass(1)
  await refusing.waitFor(1)
  receivers[0] = receiverAt(well.url)
  await well.waitFor(1)
  t.equal(refusing.received.length, 1)
})

t.test('an alert whose telling could not be saved is told again, under the same id', async t => {
  const onCall = await receiving(t)
  const stage = setStage(t, [receiverAt(onCall.url)])
  stage.seen.now = seeing(conditionOf('memory-short', { of: 'relay' }))
  await looked(stage)
  stage.shared.fails = true
  stage.pass(1)
  await onCall.waitFor(3)
  stage.shared.fails = false
  t.equal(new Set(onCall.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  t.equal(stage.facts.filter(({ fact }) => fact === 'alert.trouble').length, 1, 'and the log says it once')
})

t.test('a store that fails keeps nobody from being told of the rest', async t => {
  const onCall = await receiving(t)
  const stage = setStage(t, [receiverAt(onCall.url)])
  stage.own.fails = true
  stage.seen.now = seeing(conditionOf('memory-short', { of: 'relay' }))
  await looked(stage)
  stage.pass(1)
  await onCall.waitFor(1)
  t.match(stage.facts[0], { fact: 'alert.trouble', error: 'no space left' })
})

t.test('before there is anything to see nobody is told anything', async t => {
  const stage = setStage(t, [])
  stage.own.alerts = [{ ...conditionOf('spool-waiting'), since: 1, endedAt: null, told: {} }]
  stage.seen.now = null
  await looked(stage)
  t.match(stage.own.alerts, [{ endedAt: null }])
})

t.test('a test is sent to every receiver, and each is heard', async t => {
  const [refusing, well] = [await receiving(t, answers.status(401)), await receiving(t)]
  const stage = setStage(t, [receiverAt(refusing.url, { name: 'refusing' }), receiverAt(well.url, { name: 'well' }), receiverAt('http://127.0.0.1:9/', { name: 'nobody' })])
  t.match(await stage.alerts.test(), [
    { receiver: 'refusing', statusCode: 401, error: 'answered 401' }, { receiver: 'well', statusCode: 204, error: null }, { receiver: 'nobody', statusCode: null, error: /ECONNREFUSED/ }
  ])
  t.strictSame(typesOf(well), ['alert.test'])
})

t.test('stopping cuts off what hangs, and says nothing of it', async t => {
  const hanging = await receiving(t, answers.hang)
  const stage = setStage(t, [receiverAt(hanging.url)])
  stage.seen.now = seeing(conditionOf('redis-away'))
  await looked(stage)
  stage.pass(1)
  await hanging.waitFor(1)
  await stage.alerts.stop()
  t.strictSame(stage.facts.filter(({ fact }) => fact === 'alert.receiver'), [])
})

t.test('what this process has told outlives it; a file that is none costs nothing', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'relay-alerts-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const file = join(dir, 'alerts.json')
  const alerts: Alert[] = [{ ...conditionOf('spool-waiting'), since: 1, endedAt: null, told: { 'on-call': { notice: 'raised', at: 2 } } }]
  await createOwnStore(file).save(alerts)
  t.strictSame(await createOwnStore(file).read(), alerts)
  t.match(readFileSync(file, 'utf8'), /spool-waiting/)
  for (const text of ['', '{"a":', '{}', 'null']) {
    writeFileSync(file, text)
    t.strictSame(await createOwnStore(file).read(), [])
  }
  rmSync(file)
  mkdirSync(file)
  const store = createOwnStore(file)
  await t.rejects(store.save(alerts), { code: 'EISDIR' })
  t.strictSame(await store.read(), alerts, 'what could not be written is known as long as the process lives')
})
