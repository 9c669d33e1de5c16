/**
 * One attempt from an opened delivery to a verdict, on real HTTP. What is to be
 * recorded is remembered and reported, as the queue does when it is on record.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import t from '../support/tap.js'
import { Webhook } from 'standardwebhooks'
import { createDeliverer, type DelivererOptions } from '../../src/deliver/pipeline.js'
import { reportAttempt } from '../../src/deliver/report-attempt.js'
import type { Delivery } from '../../src/model/delivery.js'
import type { Fact } from '../../src/model/fact.js'
import type { Subscriber } from '../../src/model/subscriber.js'
import type { AttemptResult, OpenedDelivery, OpenedEvent, Verdict } from '../../src/model/work.js'
import { createOutbound } from '../../src/outbound/request.js'
import { startHttp, startRaw, subscriberAt, type Closing } from '../outbound/servers.js'

const EVENT_ID = 'evt_0123456789ABCDEFGHJKMNPQRS'
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const NEVER = new AbortController().signal

const EVENT: OpenedEvent = {
  id: EVENT_ID,
  taskId: 'task-1',
  receivedAt: NOW - 60_000,
  revision: 1,
  contentType: 'application/json'
}
const DELIVERY: Delivery = {
  eventId: EVENT_ID,
  subscriber: 'billing',
  state: 'queued',
  heldBy: null,
  generation: 2,
  attempts: 5,
  budgetUsed: 0,
  queuedAt: NOW - 1_000,
  nextAttemptAt: null,
  lastStatusCode: null,
  lastError: null,
  deliveredAt: null,
  replayId: null,
  webhookId: null
}

interface Bench {
  /** The verdict, without what is to be recorded. */
  deliver: (signal?: AbortSignal) => Promise<Omit<Verdict, 'result'>>
  recorded: AttemptResult[]
  facts: Fact[]
}

interface Setting {
  subscriber?: Subscriber | undefined
  opened?: OpenedDelivery
  options?: Partial<DelivererOptions>
}

function open (delivery: Partial<Delivery> = {}, body: Buffer = Buffer.from('{}'), ageMs = 0): OpenedDelivery {
  return { event: EVENT, delivery: { ...DELIVERY, ...delivery }, body, ageMs }
}

function bench (t: Closing, { subscriber, opened = open(), options = {} }: Setting): Bench {
  const outbound = createOutbound()
  t.teardown(() => { outbound.close() })
  const recorded: AttemptResult[] = []
  const facts: Fact[] = []
  const deliver = createDeliverer({
    subscriberOf: name => name === subscriber?.name ? subscriber : undefined,
    request: outbound.request,
    version: '1.2.3',
    clock: () => NOW,
    random: () => 0.5,
    ...options
  })
  return {
    async deliver (signal = NEVER) {
      const { result, ...verdict } = await deliver({ subscriber: 'billing', opened }, signal)
      if (result !== undefined) {
        recorded.push(result)
        reportAttempt(fact => { facts.push(fact) }, result, result.next.state === 'retrying' ? NOW + result.next.waitMs : null)
      }
      return verdict
    },
    recorded,
    facts
  }
}

t.test('2xx: recorded as delivered, reported, done', async t => {
  const server = await startHttp(t, (_, response) => { response.writeHead(201).end('thank you') })
  const { deliver, recorded, facts } = bench(t, { subscriber: subscriberAt(server.url) })

  t.strictSame(await deliver(), { kind: 'done' })
  t.equal(recorded.length, 1)
  const { latencyMs } = recorded[0]!.attempt
  t.strictSame(recorded[0], {
    eventId: EVENT_ID,
    subscriber: 'billing',
    generation: 2,
    attempt: { number: 6, at: NOW, statusCode: 201, error: null, latencyMs, responseExcerpt: 'thank you', replayId: null },
    outcome: { kind: 'delivered', status: 201 },
    usesBudget: true,
    next: { state: 'delivered' },
    throttleMs: 0
  })
  t.strictSame(facts, [{ fact: 'delivery.delivered', eventId: EVENT_ID, subscriber: 'billing', attempt: 6, statusCode: 201, latencyMs }])
})

/** What each answer does to a fresh delivery: backoff of a second, three attempts. */
const ANSWERS: ReadonlyArray<[status: number, retryAfter: string | null, says: { next: object, error: string, verdict: object, throttleMs?: number, fact: object }]> = [
  [500, null, { next: { state: 'retrying', waitMs: 1_000 }, error: 'answered 500', verdict: { kind: 'again', afterMs: 1_000 }, fact: { fact: 'delivery.retrying', statusCode: 500, reason: 'server-error', nextAttemptAt: NOW + 1_000 } }],
  [503, '20', { next: { state: 'retrying', waitMs: 20_000 }, error: 'answered 503', verdict: { kind: 'again', afterMs: 20_000 }, throttleMs: 20_000, fact: { fact: 'delivery.retrying', reason: 'server-error' } }],
  [429, null, { next: { state: 'retrying', waitMs: 1_000 }, error: 'answered 429', verdict: { kind: 'again', afterMs: 1_000 }, throttleMs: 1_000, fact: { fact: 'delivery.retrying', reason: 'rate-limited' } }],
  [429, '3600', { next: { state: 'retrying', waitMs: 60_000 }, error: 'answered 429', verdict: { kind: 'again', afterMs: 60_000 }, throttleMs: 60_000, fact: { fact: 'delivery.retrying', reason: 'rate-limited' } }],
  [408, null, { next: { state: 'retrying', waitMs: 1_000 }, error: 'answered 408', verdict: { kind: 'again', afterMs: 1_000 }, fact: { fact: 'delivery.retrying', reason: 'server-error' } }],
  [404, null, { next: { state: 'retrying', waitMs: 1_000 }, error: 'answered 404', verdict: { kind: 'again', afterMs: 1_000 }, fact: { fact: 'delivery.retrying', reason: 'rejected' } }],
  [307, null, { next: { state: 'retrying', waitMs: 1_000 }, error: 'answered 307: redirects are not followed', verdict: { kind: 'again', afterMs: 1_000 }, fact: { fact: 'delivery.retrying', reason: 'rejected' } }],
  [410, null, { next: { state: 'failed', reason: 'gone' }, error: 'answered 410: the subscriber is gone', verdict: { kind: 'done' }, fact: { fact: 'delivery.failed', statusCode: 410, reason: 'gone' } }]
]
for (const [status, retryAfter, { next, error, verdict, throttleMs = 0, fact }] of ANSWERS) {
  t.test(`${status}${retryAfter === null ? '' : ' with Retry-After ' + retryAfter}: what is recorded, reported and returned`, async t => {
    const server = await startHttp(t, (_, response) => {
      response.writeHead(status, { location: '/elsewhere', ...(retryAfter === null ? {} : { 'retry-after': retryAfter }) }).end('no')
    })
    const { deliver, recorded, facts } = bench(t, { subscriber: subscriberAt(server.url) })
    t.strictSame(await deliver(), verdict)
    t.match(recorded, [{ usesBudget: true, next, throttleMs, attempt: { statusCode: status, error, responseExcerpt: 'no' } }])
    t.strictSame(recorded[0]!.next, next)
    t.match(facts[0], { eventId: EVENT_ID, subscriber: 'billing', attempt: 6, error, ...fact })
    t.equal(server.received.length, 1)
  })
}

t.test('410 also reports that the subscriber is on hold', async t => {
  const server = await startHttp(t, (_, response) => { response.writeHead(410).end() })
  const { deliver, facts } = bench(t, { subscriber: subscriberAt(server.url) })
  await deliver()
  t.strictSame(facts[1], { fact: 'subscriber.held', subscriber: 'billing', by: 'gone' })
})

t.test('no answer: the attempt says why, without a status', async t => {
  const hanging = await startRaw(t, () => {})
  const slow = bench(t, { subscriber: subscriberAt(hanging.url, { timeoutMs: 100 }) })
  t.match(await slow.deliver(), { kind: 'again', afterMs: 1_000 })
  t.match(slow.recorded, [{ attempt: { statusCode: null, error: 'no complete answer within 100 ms', responseExcerpt: null } }])
  t.match(slow.facts, [{ fact: 'delivery.retrying', reason: 'timeout' }])
  t.notOk('statusCode' in slow.facts[0]!)

  const resetting = await startRaw(t, socket => socket.once('data', () => { socket.resetAndDestroy() }))
  const reset = bench(t, { subscriber: subscriberAt(resetting.url) })
  await reset.deliver()
  t.match(reset.recorded, [{ attempt: { statusCode: null, error: 'ECONNRESET' } }])
  t.match(reset.facts, [{ fact: 'delivery.retrying', reason: 'connection', error: 'ECONNRESET' }])
})

t.test('the last attempt of the budget fails the delivery', async t => {
  const server = await startHttp(t, (_, response) => { response.writeHead(500).end() })
  const { deliver, recorded, facts } = bench(t, { subscriber: subscriberAt(server.url), opened: open({ budgetUsed: 2 }) })
  t.strictSame(await deliver(), { kind: 'done' })
  t.match(recorded, [{ usesBudget: true, next: { state: 'failed', reason: 'exhausted' } }])
  t.match(facts, [{ fact: 'delivery.failed', reason: 'exhausted', statusCode: 500, error: 'answered 500' }])
})

t.test('maxAge ends a delivery after an attempt, never before it, and counts the attempt\'s own time', async t => {
  const server = await startHttp(t, (_, response) => { response.writeHead(500).end() })
  const subscriber = subscriberAt(server.url, { maxAgeMs: 10_000 })

  const old = bench(t, { subscriber, opened: open({}, Buffer.from('{}'), 99_000) })
  await old.deliver()
  t.equal(server.received.length, 1, 'it was sent all the same')
  t.match(old.recorded, [{ next: { state: 'failed', reason: 'expired' } }])

  let now = NOW
  const slow = bench(t, { subscriber, opened: open({}, Buffer.from('{}'), 8_000), options: { clock: () => { now += 2_000; return now } } })
  await slow.deliver()
  t.match(slow.recorded, [{ attempt: { at: NOW + 2_000 }, next: { state: 'failed', reason: 'expired' } }], '8 s + 2 s of the attempt + 1 s of waiting')
})

/** What is not to be sent is not sent, not recorded and not reported. */
const UNSENT: ReadonlyArray<[says: string, setting: (subscriber: Subscriber) => Setting, verdict: object]> = [
  ['a delivery of an unknown subscriber goes back', () => ({}), { kind: 'give-back', onHold: true }],
  ['a delivery of a disabled subscriber goes back', subscriber => ({ subscriber: { ...subscriber, enabled: false } }), { kind: 'give-back', onHold: true }]
]
for (const [says, setting, verdict] of UNSENT) {
  t.test(says, async t => {
    const server = await startHttp(t)
    const { deliver, recorded, facts } = bench(t, setting(subscriberAt(server.url)))
    t.strictSame(await deliver(), verdict)
    t.equal(server.connections(), 0)
    t.strictSame([recorded, facts], [[], []])
  })
}

t.test('while we are stopping nothing is begun', async t => {
  const server = await startHttp(t)
  const { deliver, recorded } = bench(t, { subscriber: subscriberAt(server.url) })
  t.strictSame(await deliver(AbortSignal.abort()), { kind: 'give-back', onHold: false })
  t.strictSame([recorded, server.connections()], [[], 0])
})

t.test('an attempt cut off by shutdown is recorded, uses no budget and goes back', async t => {
  const stop = new AbortController()
  const server = await startHttp(t, () => { stop.abort() })
  const { deliver, recorded, facts } = bench(t, { subscriber: subscriberAt(server.url) })
  t.strictSame(await deliver(stop.signal), { kind: 'give-back', onHold: false })
  t.match(recorded, [{ usesBudget: false, next: { state: 'unchanged' }, attempt: { number: 6, statusCode: null, error: 'cut off by shutdown' } }])
  t.strictSame(facts, [{ fact: 'delivery.cut-off', eventId: EVENT_ID, subscriber: 'billing', attempt: 6 }])
})

t.test('a replay keeps its attempt numbers going and names itself', async t => {
  const server = await startHttp(t)
  const { deliver, recorded } = bench(t, { subscriber: subscriberAt(server.url), opened: open({ replayId: 'rpl_1', webhookId: 'evt_fresh' }) })
  await deliver()
  t.match(server.received[0]!.headers, { 'relay-replay': 'rpl_1', 'webhook-id': 'evt_fresh', 'relay-attempt': '6' })
  t.match(recorded, [{ attempt: { replayId: 'rpl_1' } }])
})

/** The samples, and texts that a parser would not give back as they were. */
const SAMPLES = new URL('../samples/', import.meta.url)
const BODIES: ReadonlyArray<[name: string, body: Buffer]> = [
  ...readdirSync(SAMPLES).filter(file => file.endsWith('.json'))
    .map((file): [string, Buffer] => [file, readFileSync(new URL(file, SAMPLES))]),
  ['white space and order', Buffer.from('\n{ "b" :1,\t"a": 1.0e2 }\r\n')],
  ['a byte order mark', Buffer.from('\ufeff{"a":"\\u0000"}')],
  ['random text', Buffer.from(randomBytes(64 * 1024).toString('latin1') + '😀€')],
  ['a megabyte', Buffer.from('{"ä":"😀"}'.repeat(80_000))]
]
t.ok(BODIES.length > 4, 'there are samples')
for (const [name, body] of BODIES) {
  t.test(`the bytes of ${name} arrive as they are, and every secret verifies them`, async t => {
    const secrets = [Buffer.alloc(24, 1), Buffer.alloc(32, 2)].map(key => 'whsec_' + key.toString('base64'))
    const server = await startHttp(t)
    const { deliver } = bench(t, {
      subscriber: subscriberAt(server.url, { secrets }),
      opened: open({}, body),
      options: { clock: Date.now }
    })
    await deliver()
    const [request] = server.received
    t.ok(request!.body.equals(body))
    const headers = request!.headers as Record<string, string>
    for (const secret of secrets) new Webhook(secret).verify(request!.body, headers, { jsonParse: false })
  })
}

t.test('no secret of a subscriber is in what is recorded or reported, whatever it answers', async t => {
  const secrets = { header: 'token-of-billing', password: 'hunter22', query: 'sesame-open', whsec: 'whsec_' + Buffer.alloc(24, 3).toString('base64') }
  const echo = await startHttp(t, (request, response) => { response.writeHead(500).end(JSON.stringify(request.headers) + request.url) })
  const refusing = new URL('http://127.0.0.1:1')
  for (const base of [new URL(echo.url), refusing, new URL('https://nonexistent.invalid')]) {
    base.username = 'user'
    base.password = secrets.password
    base.searchParams.set('key', secrets.query)
    const { deliver, recorded, facts } = bench(t, {
      subscriber: subscriberAt(base.href, { headers: { 'X-Token': `Key ${secrets.header}` }, secrets: [secrets.whsec] })
    })
    await deliver()
    t.equal(recorded.length, 1)
    const shown = JSON.stringify([recorded, facts])
    for (const [kind, secret] of Object.entries(secrets)) t.notOk(shown.includes(secret), kind)
  }
})
