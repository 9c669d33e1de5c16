/**
 * Promise 8, and what a change of it means for what already waits: one YAML is
 * the whole configuration, swapped atomically or not at all. Subscribers come,
 * change, rest and go while deliveries are open; none is dropped, and each
 * next attempt goes by the configuration that runs then.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import t from '../support/tap.js'
import { reference } from '../../src/config/interpolate.js'
import type { Settings, TestGateway } from '../support/gateway.js'
import {
  accept, isTaken, logged, replayed, seeDeliveries, seeEvent, seeReadiness, seeReadinessWithRedis, seeSubscriber, setScene, tasksOf, untilNothingIsOpen, untilState,
  type Scene
} from '../support/scene.js'
import { until } from '../support/until.js'
import { answers, idsOf, type Received, type TestSubscriber } from '../support/subscriber.js'

interface Answer { changed?: string[], faults?: Array<{ path: string, message: string, hint?: string, line: number | null }> }

/** Writes a configuration and has it read; the answer of `POST /config/reload`. */
async function reload (gateway: TestGateway, settings: Settings, request?: object): Promise<{ status: number, json: Answer }> {
  gateway.home.configure(settings)
  return await gateway.api<Answer>('POST', '/api/v1/config/reload', request)
}

/** A gateway in this process. */
async function open (scene: Scene, settings: Settings): Promise<TestGateway> {
  return await scene.inProcess(scene.home(settings))
}

const RETRY_SOON = { attempts: 1_000, initial: '50ms', factor: 1, max: '50ms', jitter: 0 }

t.test('SIGHUP takes up a good file and refuses a bad one, and the process goes on', async t => {
  const scene = setScene(t)
  const [one, two] = [await scene.subscriber(), await scene.subscriber()]
  const first = [{ name: 'one', url: one.url }]
  const gateway = await scene.process(scene.home({ subscribers: first }))

  gateway.home.configure({ subscribers: [...first, { name: 'two', url: two.url }] })
  gateway.child.kill('SIGHUP')
  t.match(await logged(gateway, ({ msg }) => msg === 'config.loaded'), { changed: ['subscribers.two added'] })
  await accept(gateway, { taskId: 'a' })
  await two.waitFor(1)

  writeFileSync(gateway.home.configFile, 'subscribers: [{ name: three')
  gateway.child.kill('SIGHUP')
  const refused = await logged(gateway, ({ msg }) => msg === 'config.refused')
  t.match(refused, { level: 'error', faults: [/.+/] }, 'the log says what is wrong with it')
  t.match(await seeReadinessWithRedis(gateway), { code: 200, status: 'degraded', reasons: [/reload was refused/] })
  await accept(gateway, { taskId: 'b' })
  await Promise.all([one.waitFor(2), two.waitFor(2)])
  t.equal(gateway.child.exitCode, null, 'the process never ended')
})

t.test('a bad file changes nothing, in whatever way it is bad, and a good one makes up for it', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const other = await scene.subscriber()
  const good = { dedupe: { window: '1h' }, subscribers: [{ name: 'one', url: one.url }] }
  const gateway = await open(scene, good)
  const away = [{ name: 'one', url: other.url }]
  const BAD: ReadonlyArray<[says: string, settings: Settings, path: string]> = [
    ['a bad value', { ...good, subscribers: away, dedupe: { window: '15' } }, 'dedupe.window'],
    ['an unknown key', { ...good, subscribers: away, dedup: {} }, 'dedup'],
    ['a name twice', { ...good, subscribers: [...away, ...away] }, 'subscribers[1].name'],
    ['a missing variable', { ...good, subscribers: [{ ...away[0]!, headers: { Authorization: reference('NOT_THERE') } }] }, 'subscribers[0].headers.Authorization']
  ]
  for (const [says, settings, path] of BAD) {
    const lines = gateway.log.length
    const { status, json } = await reload(gateway, settings)
    t.equal(status, 422, says)
    t.match(json.faults, [{ path, line: Number }], 'named, with its line')
    t.ok(gateway.log.slice(lines).some(({ msg }) => msg === 'config.refused'), 'it is in the log')
    t.match(await seeReadinessWithRedis(gateway), { code: 200, status: 'degraded', reasons: [/reload was refused/] })
    const eventId = await accept(gateway, { taskId: says })
    await one.waitUntil(received => idsOf(received).includes(eventId))
  }
  t.equal(other.received.length, 0, 'nothing of any of them was in force')

  const { status, json } = await reload(gateway, { ...good, dedupe: { window: '2h' } })
  t.strictSame([status, json.changed], [200, ['dedupe.window']])
  const ready = await until(async () => {
    const now = await seeReadiness(gateway) // half a second old at most
    return now.status === 'ok' ? now : undefined
  })
  t.match(ready, { code: 200, reasons: [] })
})

t.test('a key that needs a restart makes the whole reload fail, by name', async t => {
  const scene = setScene(t)
  const [one, two] = [await scene.subscriber(), await scene.subscriber()]
  const good = { subscribers: [{ name: 'one', url: one.url }] }
  const gateway = await open(scene, good)
  const added = { subscribers: [...good.subscribers, { name: 'two', url: two.url }] }
  const RESTART: ReadonlyArray<[path: string, settings: Settings]> = [
    ['ingest.listen', { ingest: { listen: '127.0.0.1:1' } }],
    ['admin.listen', { admin: { listen: '127.0.0.1:1' } }],
    ['redis.prefix', { redis: { prefix: 'other' } }],
    ['dataDir', { dataDir: './elsewhere' }]
  ]
  for (const [path, change] of RESTART) {
    const { status, json } = await reload(gateway, { ...added, ...change })
    t.equal(status, 422)
    t.match(json.faults, [{ path, message: /restart/ }], path)
  }
  await accept(gateway, { taskId: 'a' })
  await one.waitFor(1)
  t.equal(await seeSubscriber(gateway, 'two'), undefined, 'the rest of the file is not in force either')
})

t.test('a subscriber that is added gets what comes later, and by a replay what came before', async t => {
  const scene = setScene(t)
  const [old, fresh] = [await scene.subscriber(), await scene.subscriber()]
  const subscribers = [{ name: 'old', url: old.url }]
  const gateway = await open(scene, { subscribers })
  for (const taskId of ['a', 'b', 'c']) await accept(gateway, { taskId })
  await accept(gateway, { taskId: 'unwanted', type: 'y' })

  await reload(gateway, { subscribers: [...subscribers, { name: 'fresh', url: fresh.url, match: { types: ['x'] } }] })
  await accept(gateway, { taskId: 'd' })
  await fresh.waitFor(1)
  t.strictSame(tasksOf(fresh), ['d'], 'only what came later')

  t.match(await replayed(gateway, { subscriber: 'fresh', state: 'missing' }), { matched: 3, queued: 3, delivered: 3 })
  t.strictSame(tasksOf(fresh).sort(), ['a', 'b', 'c', 'd'], 'now everything that it wants, once')
  await old.waitFor(5)
  t.equal(old.received.length, 5, 'and nobody else got anything again')
})

/** A delivery that has failed once and waits, on hold, so that what changes has changed before its next attempt. */
async function waiting (scene: Scene, entry: object): Promise<{ gateway: TestGateway, one: TestSubscriber, eventId: string, change: (entry: object) => Promise<Answer>, resume: () => Promise<void> }> {
  const one = await scene.subscriber(answers.status(500))
  const subscriber = { name: 'one', url: one.url, retry: RETRY_SOON, ...entry }
  const gateway = await open(scene, { subscribers: [subscriber] })
  const eventId = await accept(gateway, { taskId: 'waits' })
  await one.waitFor(1)
  await gateway.api('POST', '/api/v1/subscribers/one/pause')
  await untilState(gateway, { eventId, subscriber: 'one' }, 'held')
  await until(async () => (await seeEvent(gateway, eventId)).attempts.length === one.received.length || undefined)
  one.behave(answers.ok)
  return {
    gateway,
    one,
    eventId,
    async change (changed) { return (await reload(gateway, { subscribers: [{ ...subscriber, ...changed }] })).json },
    async resume () { await gateway.api('POST', '/api/v1/subscribers/one/resume') }
  }
}

/** Whether a request is signed with this secret. */
function isSigned ({ body, headers }: Received, secret: string): boolean {
  try {
    new Webhook(secret).verify(body.toString(), headers as Record<string, string>)
    return true
  } catch { return false }
}

const secretOf = (text: string): string => `whsec_${Buffer.from(text.padEnd(24)).toString('base64')}`

t.test('URL, headers and secrets of the next attempt are those that run then', async t => {
  const scene = setScene(t)
  const [before, after] = [secretOf('before'), secretOf('after')]
  const { gateway, one, eventId, change, resume } = await waiting(scene, { headers: { 'X-Team': 'before' }, secrets: [before] })
  const attempts = one.received.length
  const moved = await scene.subscriber()
  t.ok(isSigned(one.received[0]!, before))
  t.strictSame((await change({ url: moved.url, headers: { 'X-Team': 'after' }, secrets: [before, after] })).changed?.sort(),
    ['subscribers.one.headers.X-Team', 'subscribers.one.secrets', 'subscribers.one.url'])
  await resume()

  const [received] = await moved.waitFor(1)
  t.match(received!.headers, { 'webhook-id': eventId, 'relay-attempt': String(attempts + 1), 'x-team': 'after' }, 'the same delivery, elsewhere')
  t.ok(isSigned(received!, before) && isSigned(received!, after), 'every secret signs while they overlap')
  await untilNothingIsOpen(gateway)
  t.equal(one.received.length, attempts, 'the old URL heard nothing more')
})

t.test('the timeout and the retry policy of the next attempt are those that run then', async t => {
  const scene = setScene(t)
  const { gateway, one, eventId, change, resume } = await waiting(scene, { timeout: '1h' })
  one.behave(answers.hang)
  await change({ timeout: '100ms', retry: { ...RETRY_SOON, attempts: one.received.length + 1 } })
  await resume()

  const { attempts } = await untilState(gateway, { eventId, subscriber: 'one' }, 'failed')
  const history = await seeEvent(gateway, eventId)
  t.equal(attempts, one.received.length, 'the budget of the new policy is used up')
  t.match(history.attempts.at(-1), { error: /within 100 ms/, statusCode: null }, 'and the attempt ended with the new timeout')
})

t.test('a secret in a file is rotated by a reload, without a restart, and shown nowhere', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const [before, after] = [secretOf('before'), secretOf('after')]
  const home = scene.home({})
  const file = join(home.dir, 'secret')
  writeFileSync(file, `${before}\n`)
  home.configure({ subscribers: [{ name: 'one', url: one.url, secrets: [`\${file:${file}}`] }] })
  const gateway = await scene.inProcess(home)
  await accept(gateway, { taskId: 'a' })
  await one.waitFor(1)
  t.ok(isSigned(one.received[0]!, before))

  writeFileSync(file, `${after}\n`)
  await accept(gateway, { taskId: 'b' })
  await one.waitFor(2)
  t.ok(isSigned(one.received[1]!, before), 'the file alone changes nothing')
  const { json } = await gateway.api<Answer>('POST', '/api/v1/config/reload')
  t.strictSame(json.changed, ['subscribers.one.secrets'])
  await accept(gateway, { taskId: 'c' })
  await one.waitFor(3)
  t.ok(isSigned(one.received[2]!, after) && !isSigned(one.received[2]!, before))
  const log = JSON.stringify(gateway.log)
  t.notOk(log.includes(before.slice(6)) || log.includes(after.slice(6)), 'no secret is in the log')
})

t.test('one that is disabled goes on collecting, its clock stands still, and enabling it delivers', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber(answers.status(500))
  const clock = await scene.subscriber(answers.status(500))
  // Longer than a machine stands still before it is disabled and after it is enabled.
  const policy = { retry: RETRY_SOON, maxAge: '8s' }
  const entries = (enabled: boolean): Settings => ({
    subscribers: [{ name: 'one', url: one.url, enabled, ...policy }, { name: 'clock', url: clock.url, ...policy, match: { types: ['early'] } }]
  })
  const gateway = await open(scene, entries(true))
  const early = await accept(gateway, { taskId: 'early', type: 'early' })
  await one.waitFor(1)
  t.strictSame((await reload(gateway, entries(false))).json.changed, ['subscribers.one.enabled'])
  const seen = one.received.length
  for (const taskId of ['a', 'b']) await accept(gateway, { taskId })

  const held = await seeDeliveries(gateway, 'subscriber=one')
  t.strictSame(held.map(({ taskId, state, heldBy, nextAttemptAt }) => ({ taskId, state, heldBy, nextAttemptAt })),
    ['b', 'a', 'early'].map(taskId => ({ taskId, state: 'held', heldBy: 'disabled', nextAttemptAt: null })))
  t.match(await seeSubscriber(gateway, 'one'), { enabled: false, heldBy: 'disabled', pausedBy: null, counts: { open: 3 } })
  const { code, status, reasons } = await seeReadinessWithRedis(gateway)
  t.strictSame([code, status, reasons.some(reason => /one .*disabled/.test(reason))], [200, 'degraded', true])

  const expired = await untilState(gateway, { eventId: early, subscriber: 'clock' }, 'failed')
  t.ok(expired.attempts > 1, 'meanwhile the same delivery to somebody else has become too old')
  t.equal(one.received.length, seen, 'who is disabled was sent nothing')
  await reload(gateway, entries(true))
  await one.waitUntil(received => new Set(idsOf(received)).size === 3)
  await one.waitUntil(received => idsOf(received.slice(seen)).filter(id => id === early).length >= 2)
  t.equal((await seeEvent(gateway, early)).deliveries.find(({ subscriber }) => subscriber === 'one')?.state, 'retrying', 'one more failure does not make it too old')
  one.behave(answers.ok)
  await untilState(gateway, { eventId: early, subscriber: 'one' }, 'delivered')
  t.strictSame((await untilNothingIsOpen(gateway)), { failed: 1 }, 'only the other one failed')
})

t.test('one that is removed collects no more, what waits is held and never dropped, and putting it back delivers it', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber(answers.status(500))
  const other = await scene.subscriber()
  const [kept, gone] = [{ name: 'other', url: other.url }, { name: 'one', url: one.url, retry: RETRY_SOON }]
  const home = scene.home({ subscribers: [kept, gone] })
  let gateway = await scene.inProcess(home)
  for (const taskId of ['a', 'b']) await accept(gateway, { taskId })
  await one.waitUntil(received => new Set(idsOf(received)).size === 2)

  t.match(await reload(gateway, { subscribers: [kept] }), { status: 422, json: { faults: [{ path: 'subscribers', message: /^no longer has one/ }] } }, 'not by a file that may have been cut short')
  t.strictSame((await reload(gateway, { subscribers: [kept] }, { allowRemovals: true })).json.changed, ['subscribers.one removed'])
  const later = await accept(gateway, { taskId: 'later' })
  t.strictSame((await seeEvent(gateway, later)).deliveries.map(({ subscriber }) => subscriber), ['other'])
  const snapshot = async (): Promise<unknown> => (await seeDeliveries(gateway, 'subscriber=one')).map(({ taskId, state, heldBy }) => [taskId, state, heldBy])
  const held = [['b', 'held', 'removed'], ['a', 'held', 'removed']]
  t.strictSame(await snapshot(), held)
  t.match(await seeSubscriber(gateway, 'one'), { url: null, heldBy: 'removed', counts: { open: 2 } }, 'an operator still sees it')
  const seen = one.received.length

  await gateway.stop()
  gateway = await scene.inProcess(home)
  await other.waitFor(3)
  t.strictSame(await snapshot(), held, 'a restart changes nothing of that')
  t.equal(one.received.length, seen, 'and it was sent nothing')

  one.behave(answers.ok)
  await reload(gateway, { subscribers: [kept, gone] })
  await one.waitUntil(received => new Set(idsOf(received.slice(seen))).size === 2)
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
  t.notOk(tasksOf(one).includes('later'), 'what came while it was away is not its own')
})

t.test('one that vanishes from the file is told, and when it returns, what it missed', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const subscribers = [{ name: 'one', url: one.url }]
  const gateway = await open(scene, { subscribers, alerts: { after: '1s' } })
  await accept(gateway, { taskId: 'before' })
  await untilNothingIsOpen(gateway)
  t.strictSame((await reload(gateway, { subscribers: [], alerts: { after: '1s' } })).json.changed, ['subscribers.one removed'], 'nothing waits for it')
  await until('it is told', async () => (await gateway.api<{ items: Array<{ name: string, subscriber: string | null }> }>('GET', '/api/v1/alerts')).json.items
    .some(({ name, subscriber }) => name === 'subscriber-removed' && subscriber === 'one'))
  await accept(gateway, { taskId: 'meanwhile' })
  await reload(gateway, { subscribers, alerts: { after: '1s' } })
  const { advice } = await logged(gateway, ({ msg }) => msg === 'subscriber.returned')
  const [, since] = /^fotor-relay replay --subscriber one --state missing --since (\S+)$/.exec(String(advice))!
  t.equal((await replayed(gateway, { subscriber: 'one', state: 'missing', since })).delivered, 1)
  t.ok(tasksOf(one).includes('meanwhile'))
})

t.test('policy changes with the next callback', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const subscribers = [{ name: 'one', url: one.url }]
  const gateway = await open(scene, { subscribers })
  const big = { taskId: 'big', status: 1, type: 'x', padding: 'x'.repeat(2_000) }
  const ask = async (callback: object, path = '/webhooks/fotor'): Promise<[number, unknown]> => {
    const response = await fetch(new URL(path, gateway.ingestUrl), { method: 'POST', body: JSON.stringify(callback) })
    return [response.status, response.headers.get('content-type')?.startsWith('application/json') === true ? (await response.json() as { status: string }).status : null]
  }
  /** As `ask`, of a duplicate, which after a pause of the machine is sent again until Redis answers. */
  const askAgain = async (callback: object, path?: string): ReturnType<typeof ask> => await until('an answer of Redis', async () => {
    const answer = await ask(callback, path)
    return answer[1] === 'spooled' ? undefined : answer
  })
  const taken = async ([status, word]: Awaited<ReturnType<typeof ask>>): Promise<boolean> => await isTaken(gateway, { status, json: { status: word } })
  const plain = { taskId: 'plain', status: 1, type: 'x', n: 1 }
  const again = { ...plain, n: 2 }
  const third = { ...plain, n: 3 }

  t.ok(await taken(await ask(plain)))
  await reload(gateway, { subscribers, ingest: { allowFrom: ['10.0.0.1'] } })
  t.strictSame(await ask(again), [403, null], 'allowFrom: we are not on the list any more')
  await reload(gateway, { subscribers, ingest: { allowFrom: ['10.0.0.1'], allowlist: 'monitor' } })
  t.ok(await taken(await ask({ ...plain, taskId: 'watched' })), 'allowlist: monitor lets everybody in')
  await reload(gateway, { subscribers, ingest: { maxBody: '1kb' } })
  t.strictSame(await ask(big), [413, null], 'maxBody')
  await reload(gateway, { subscribers })
  t.ok(await taken(await ask(big)), 'and back')
  await reload(gateway, { subscribers, ingest: { path: '/elsewhere' } })
  t.strictSame([await ask(again), await askAgain(plain, '/elsewhere')], [[404, null], [200, 'duplicate']], 'path: the old one is gone, the new one served')
  await reload(gateway, { subscribers, ingest: { rateLimit: { max: 1, per: '1h' } } })
  t.strictSame([(await ask(plain))[0], (await ask(plain))[0]].at(-1), 429, 'rateLimit')
  await reload(gateway, { subscribers, dedupe: { ignoreFields: ['n'] } })
  t.ok(await taken(await ask({ ...plain, taskId: 'p' })))
  t.strictSame(await askAgain({ ...again, taskId: 'p' }), [200, 'duplicate'], 'dedupe.ignoreFields: other content is none')
  await reload(gateway, { subscribers, dedupe: { onConflict: 'hold' } })
  t.ok(await taken(await ask(third)))
  const held = await until('a revision is held', async () => (await seeDeliveries(gateway, 'state=held'))[0])
  t.match(held, { taskId: 'plain', heldBy: 'conflict' }, 'dedupe.onConflict: a revision is held now')
})
