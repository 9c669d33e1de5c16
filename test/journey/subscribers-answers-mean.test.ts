/**
 * What a subscriber receives, and what each of its answers means: the table of
 * deliveries row by row, through the running gateway, to real servers that
 * answer well, badly, or not at all.
 */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from '../support/tap.js'
import { makeHome, startInProcess, type Settings, type TestGateway } from '../support/gateway.js'
import { accept, acceptBytes } from '../support/scene.js'
import { answers, startSubscriber, type Behaviour, type Received, type TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

interface Attempt { subscriber: string, number: number, at: string, statusCode: number | null, error: string | null, latencyMs: number, responseExcerpt: string | null, replayId: string | null }
interface Delivery { subscriber: string, state: string, heldBy: string | null, attempts: number, nextAttemptAt: string | null, lastStatusCode: number | null, lastError: string | null }
interface Detail { id: string, deliveries: Delivery[], attempts: Attempt[] }
interface SubscriberEntry { name: string, pausedBy: string | null, heldBy: string | null, counts: { open: number, failed: number, delivered: number } }

/** A gateway with these subscribers; each gets the events whose type is its name. */
async function start (t: Test, entries: readonly Settings[]): Promise<TestGateway> {
  const home = makeHome({ subscribers: entries.map(entry => ({ match: { types: [entry['name']] }, ...entry })) })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    home.remove()
  })
  return gateway
}

async function serve (t: Test, behaviour: Behaviour): Promise<TestSubscriber> {
  const subscriber = await startSubscriber(behaviour)
  t.teardown(async () => { await subscriber.close() })
  return subscriber
}

let posted = 0
/** Posts an event for one subscriber. @returns its id */
async function give (gateway: TestGateway, name: string, more: object = {}): Promise<string> {
  posted += 1
  return await accept(gateway, { taskId: `task ${posted}/é`, type: name, ...more })
}

async function detail (gateway: TestGateway, eventId: string): Promise<Detail> {
  return (await gateway.api<Detail>('GET', `/api/v1/events/${eventId}`)).json
}

async function entryOf (gateway: TestGateway, name: string): Promise<SubscriberEntry> {
  const { json } = await gateway.api<{ items: SubscriberEntry[] }>('GET', '/api/v1/subscribers')
  return json.items.find(entry => entry.name === name)!
}

/** Resolves when nothing is owed to anybody any more. */
async function settled (gateway: TestGateway): Promise<void> {
  await until(async () => {
    const { json } = await gateway.api<{ items: SubscriberEntry[] }>('GET', '/api/v1/subscribers')
    return json.items.every(({ counts }) => counts.open === 0) || undefined
  })
}

/** The lines that tell of one event. */
function told (gateway: TestGateway, msg: string, eventId: string): Array<Record<string, unknown>> {
  return gateway.log.filter(line => line['msg'] === msg && line['eventId'] === eventId)
}

/** Answers in turn; the last for ever. */
function inTurn (...behaviours: Behaviour[]): Behaviour {
  let at = 0
  return (...args) => { behaviours[Math.min(at++, behaviours.length - 1)]!(...args) }
}

interface Row {
  says: string
  answer?: Behaviour
  /** Instead of an answer: where nobody answers so. */
  url?: (parts: { port: number }) => string
  entry?: Settings
  /** After at most two attempts. */
  becomes: 'delivered' | 'exhausted' | 'gone'
  statusCode: number | null
  error: string | RegExp | null
}

function delivered (status: number): Row {
  return { says: `${status} is delivered`, answer: answers.status(status), becomes: 'delivered', statusCode: status, error: null }
}

function retried (status: number, headers: Record<string, string> = {}): Row {
  const error = status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}`
  return { says: `${status} is retried`, answer: answers.status(status, headers), becomes: 'exhausted', statusCode: status, error }
}

const QUICK = { timeout: '200ms' }

const ROWS: Row[] = [
  ...[200, 201, 202, 204, 206, 299].map(delivered),
  {
    says: '103 is no answer yet', answer: response => { response.writeEarlyHints({ link: '</a>; rel=preload' }, () => { response.writeHead(204).end() }) }, becomes: 'delivered', statusCode: 204, error: null
  },
  ...[408, 429, 500, 501, 502, 503, 504, 599].map(status => retried(status)),
  ...[300, 304, 400, 401, 403, 404, 405, 409, 413, 418, 422, 451].map(status => retried(status)),
  { says: '410 is failed at once', answer: answers.status(410), becomes: 'gone', statusCode: 410, error: 'answered 410: the subscriber is gone' },
  { says: 'a timeout is retried', answer: answers.hang, entry: QUICK, becomes: 'exhausted', statusCode: null, error: 'no complete answer within 200 ms' },
  {
    says: 'an answer that does not end in time is none', answer: response => { response.writeHead(200).write('some') }, entry: { timeout: '5s' }, becomes: 'exhausted', statusCode: null, error: 'no complete answer within 5000 ms, after status 200'
  },
  { says: 'refused is retried', url: () => 'http://127.0.0.1:1/', becomes: 'exhausted', statusCode: null, error: 'ECONNREFUSED' },
  { says: 'reset is retried', answer: (_, __, request) => { request.socket.resetAndDestroy() }, becomes: 'exhausted', statusCode: null, error: 'ECONNRESET' },
  { says: 'closed without a word is retried', answer: (_, __, request) => { request.socket.destroy() }, becomes: 'exhausted', statusCode: null, error: /^connection closed before/ },
  {
    says: 'half an answer is retried',
    answer: response => { response.writeHead(200, { 'content-length': '10' }).write('half', () => { response.socket?.destroy() }) },
    becomes: 'exhausted',
    statusCode: null,
    error: /^connection closed before .*after status 200$/
  },
  { says: 'a DNS failure is retried', url: () => 'http://nowhere.invalid/', entry: { timeout: '20s' }, becomes: 'exhausted', statusCode: null, error: /^(ENOTFOUND|EAI_AGAIN)$/ },
  { says: 'a TLS failure is retried', url: ({ port }) => `https://127.0.0.1:${port}/`, answer: answers.ok, becomes: 'exhausted', statusCode: null, error: /^[A-Z][A-Z0-9_]+$/ }
]

t.test('each row of the table', async t => {
  const elsewhere = await serve(t, answers.ok)
  const rows = [...ROWS, ...[301, 302, 303, 307, 308].map(status => retried(status, { location: elsewhere.url }))]
  const servers = await Promise.all(rows.map(async ({ answer = answers.ok }) => await serve(t, answer)))
  const gateway = await start(t, rows.map(({ url, entry }, at) => ({
    name: `row-${at}`,
    url: url === undefined ? servers[at]!.url : url({ port: Number(new URL(servers[at]!.url).port) }),
    retry: ['10ms'],
    timeout: '10s',
    concurrency: 2,
    ...entry
  })))
  const ids = await Promise.all(rows.map(async (_, at) => await give(gateway, `row-${at}`)))
  await settled(gateway)

  for (const [at, { says, becomes, statusCode, error }] of rows.entries()) {
    await t.test(says, async t => {
      const { deliveries, attempts } = await detail(gateway, ids[at]!)
      const count = becomes === 'exhausted' ? 2 : 1
      t.match(deliveries, [{
        subscriber: `row-${at}`, state: becomes === 'delivered' ? 'delivered' : 'failed', attempts: count, nextAttemptAt: null, lastStatusCode: statusCode, lastError: error
      }])
      t.match(attempts.map(({ number }) => number), count === 1 ? [1] : [1, 2])
      for (const attempt of attempts) t.match(attempt, { statusCode, error, replayId: null })
      const ends = told(gateway, becomes === 'delivered' ? 'delivery.delivered' : 'delivery.failed', ids[at]!)
      t.equal(ends.length, 1)
      if (becomes !== 'delivered') t.equal(ends[0]?.['reason'], becomes)
    })
  }
  t.equal(elsewhere.received.length, 0, 'no redirect was followed')
})

t.test('an answer that is not HTTP is retried', async t => {
  const server: Server = createServer(socket => { socket.on('error', () => {}).end('SSH-2.0-nonsense\r\n') })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const gateway = await start(t, [{ name: 'odd', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, retry: ['10ms'] }])
  const id = await give(gateway, 'odd')
  await settled(gateway)
  t.match((await detail(gateway, id)).deliveries, [{ state: 'failed', attempts: 2, lastError: 'the answer is not HTTP/1.1' }])
})

interface WaitRow {
  says: string
  status: number
  retryAfter?: () => string
  /** Of the event that was refused. */
  leastWaitMs: number
  /** Whether the subscriber's other deliveries wait as well. */
  throttles: boolean
  retry?: unknown
}

const inSeconds = (seconds: number) => () => String(seconds)
/** Whole seconds: the time is cut to the second before, so this is more than `seconds` - 1. */
const atDate = (seconds: number) => () => new Date(Date.now() + seconds * 1_000).toUTCString()
const ONCE_MORE = { attempts: 2, initial: '10ms', factor: 1, max: '1h', jitter: 0 }

const WAITS: WaitRow[] = [
  { says: '429 with seconds', status: 429, retryAfter: inSeconds(1), leastWaitMs: 1_000, throttles: true },
  { says: '429 with a date', status: 429, retryAfter: atDate(2), leastWaitMs: 1_000, throttles: true },
  { says: '503 with seconds', status: 503, retryAfter: inSeconds(1), leastWaitMs: 1_000, throttles: true },
  { says: '503 with a date', status: 503, retryAfter: atDate(2), leastWaitMs: 1_000, throttles: true },
  { says: '503 that asks for nothing', status: 503, leastWaitMs: 0, throttles: false, retry: { ...ONCE_MORE, initial: '700ms' } },
  { says: '500 with seconds', status: 500, retryAfter: inSeconds(1), leastWaitMs: 1_000, throttles: false },
  { says: '408 with a date', status: 408, retryAfter: atDate(2), leastWaitMs: 1_000, throttles: false },
  { says: 'Retry-After is capped at max', status: 429, retryAfter: inSeconds(86_400), leastWaitMs: 700, throttles: true, retry: { ...ONCE_MORE, max: '700ms' } },
  { says: 'Retry-After shortens no wait', status: 500, retryAfter: inSeconds(0), leastWaitMs: 700, throttles: false, retry: { ...ONCE_MORE, initial: '700ms' } },
  { says: 'Retry-After that says nothing', status: 500, retryAfter: () => 'soon', leastWaitMs: 700, throttles: false, retry: { ...ONCE_MORE, initial: '700ms' } },
  { says: 'a list says nothing', status: 503, retryAfter: () => '3600, 7200', leastWaitMs: 700, throttles: false, retry: { ...ONCE_MORE, initial: '700ms' } },
  { says: 'a date that is over asks for nothing', status: 503, retryAfter: atDate(-3_600), leastWaitMs: 700, throttles: false, retry: { ...ONCE_MORE, initial: '700ms' } },
  { says: 'a number beyond all numbers is capped too', status: 503, retryAfter: () => '9'.repeat(400), leastWaitMs: 700, throttles: true, retry: { ...ONCE_MORE, max: '700ms' } }
]

t.test('who asks for time gets it', async t => {
  const servers = await Promise.all(WAITS.map(async ({ status, retryAfter }) => await serve(t, inTurn(
    response => { response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter() }).end() }, answers.ok
  ))))
  const gateway = await start(t, WAITS.map(({ retry = ONCE_MORE }, at) => ({ name: `wait-${at}`, url: servers[at]!.url, concurrency: 1, retry })))
  const ids = await Promise.all(WAITS.map(async (_, at) => {
    const refused = await give(gateway, `wait-${at}`)
    await servers[at]!.waitFor(1)
    return [refused, await give(gateway, `wait-${at}`)] as const
  }))
  await settled(gateway)

  for (const [at, { says, status, leastWaitMs, throttles }] of WAITS.entries()) {
    await t.test(says, async t => {
      const [refused, other] = ids[at]!
      const { received } = servers[at]!
      const [first, second] = received.filter(({ headers }) => headers['webhook-id'] === refused) as [Received, Received]
      const [others] = received.filter(({ headers }) => headers['webhook-id'] === other) as [Received]
      t.equal(received.length, 3)
      t.ok(second.at - first.at >= leastWaitMs, `waited ${second.at - first.at} ms`)
      if (throttles) t.ok(others.at - first.at >= leastWaitMs - 1, `its other delivery waited ${others.at - first.at} ms`)
      else t.ok(others.at <= second.at, 'its other delivery did not wait')
      t.match((await detail(gateway, refused)).deliveries, [{ state: 'delivered', attempts: 2 }])
      t.match((await detail(gateway, other)).deliveries, [{ state: 'delivered', attempts: 1 }], 'at no cost of attempts')
      t.match(told(gateway, 'delivery.retrying', refused), [{ statusCode: status }])
    })
  }
})

t.test('410: that event fails, the others are held until somebody resumes', async t => {
  const server = await serve(t, answers.status(410))
  const gateway = await start(t, [{ name: 'leaver', url: server.url, concurrency: 1, retry: ['10ms'] }])
  const failed = await give(gateway, 'leaver')
  await until(async () => (await entryOf(gateway, 'leaver')).pausedBy === 'gone' || undefined)
  const held = [await give(gateway, 'leaver'), await give(gateway, 'leaver')]

  t.match((await detail(gateway, failed)).deliveries, [{ state: 'failed', attempts: 1, lastStatusCode: 410 }])
  for (const id of held) t.match((await detail(gateway, id)).deliveries, [{ state: 'held', heldBy: 'gone', attempts: 0, nextAttemptAt: null }])
  t.match(gateway.log.filter(({ msg }) => msg === 'subscriber.held'), [{ subscriber: 'leaver', by: 'gone', level: 'warn' }], 'and it is said aloud')
  const ready = await fetch(`${gateway.adminUrl}/readyz`)
  t.match([ready.status, await ready.json()], [200, { status: 'degraded', reasons: [/leaver answered 410/] }])

  server.behave(answers.ok)
  t.equal(server.received.length, 1, 'nobody knocks meanwhile')
  t.match((await gateway.api('POST', '/api/v1/subscribers/leaver/resume')).json, { pausedBy: null, heldBy: null })
  await server.waitFor(3)
  await settled(gateway)
  for (const id of held) t.match((await detail(gateway, id)).deliveries, [{ state: 'delivered', attempts: 1 }])
  t.match((await detail(gateway, failed)).deliveries, [{ state: 'failed' }], 'what failed waits for a replay')
})

/** When the wait after each failed attempt was to end, against what the policy says. */
async function isWaitOf (t: Test, gateway: TestGateway, { eventId, waitsMs }: { eventId: string, waitsMs: ReadonlyArray<[least: number, most: number]> }): Promise<void> {
  const { attempts } = await detail(gateway, eventId)
  const lines = told(gateway, 'delivery.retrying', eventId)
  t.equal(lines.length, waitsMs.length)
  for (const [at, line] of lines.entries()) {
    const attempt = attempts[at]!
    const [least, most] = waitsMs[at]!
    const planned = Number(line['nextAttemptAt'])
    // It was planned between the end of the attempt and the line that tells of it.
    t.ok(planned - (Date.parse(attempt.at) + attempt.latencyMs) >= least - 2, `wait ${at + 1} is at least ${least} ms`)
    t.ok(planned - Date.parse(String(line['time'])) <= most + 1, `wait ${at + 1} is at most ${most} ms`)
    const next = attempts[at + 1]
    if (next !== undefined) t.ok(Date.parse(next.at) >= planned, 'and no attempt comes before its time')
  }
}

t.test('waits are those of the policy', async t => {
  const server = await serve(t, answers.status(500))
  const gateway = await start(t, [
    { name: 'list', url: server.url, retry: ['50ms', '400ms', '100ms'] },
    { name: 'none', url: server.url, retry: [] },
    { name: 'growing', url: server.url, retry: { attempts: 6, initial: '40ms', factor: 2, max: '250ms', jitter: 0 } },
    { name: 'spread', url: server.url, retry: { attempts: 2, initial: '10m', factor: 3, max: '6h', jitter: 0.5 } },
    { name: 'capped', url: server.url, retry: { attempts: 2, initial: '20m', factor: 3, max: '10m', jitter: 0.2 } }
  ])
  const exact = (...waits: number[]): Array<[number, number]> => waits.map(ms => [ms, ms])
  const list = await give(gateway, 'list')
  const none = await give(gateway, 'none')
  const growing = await give(gateway, 'growing')
  const spread = await Promise.all(Array.from({ length: 40 }, async () => await give(gateway, 'spread')))
  const capped = await give(gateway, 'capped')
  await until(async () => [...spread, capped].every(id => told(gateway, 'delivery.retrying', id).length === 1) || undefined)
  await until(async () => [list, none, growing].every(id => told(gateway, 'delivery.failed', id).length === 1) || undefined)

  await t.test('a list: one attempt more than waits', async t => {
    await isWaitOf(t, gateway, { eventId: list, waitsMs: exact(50, 400, 100) })
    t.match((await detail(gateway, list)).deliveries, [{ state: 'failed', attempts: 4 }])
    t.match((await detail(gateway, none)).deliveries, [{ state: 'failed', attempts: 1 }])
  })
  await t.test('each wait is the one before times the factor, up to max', async t => {
    await isWaitOf(t, gateway, { eventId: growing, waitsMs: exact(40, 80, 160, 250, 250) })
    t.match((await detail(gateway, growing)).deliveries, [{ state: 'failed', attempts: 6 }])
  })
  await t.test('jitter spreads evenly to either side, and no further', async t => {
    const minutes = 60_000
    for (const eventId of spread) await isWaitOf(t, gateway, { eventId, waitsMs: [[5 * minutes, 15 * minutes]] })
    await isWaitOf(t, gateway, { eventId: capped, waitsMs: [[8 * minutes, 12 * minutes]] })
    const waits = spread.map(id => Number(told(gateway, 'delivery.retrying', id)[0]?.['nextAttemptAt']) - Date.now())
    t.ok(Math.min(...waits) < 8 * minutes && Math.max(...waits) > 12 * minutes, 'they are not all alike')
  })
})

t.test('maxAge: no retry is planned beyond it; it costs no first attempt, and stands still on hold', async t => {
  const server = await serve(t, answers.status(500))
  const later = await serve(t, inTurn(answers.status(500), answers.ok))
  const gateway = await start(t, [
    { name: 'old', url: server.url, maxAge: '1s', retry: ['10m'] },
    { name: 'older', url: server.url, maxAge: '1s', retry: { attempts: 50, initial: '300ms', factor: 1, max: '1s', jitter: 0 } },
    // Longer than a machine stands still between two attempts.
    { name: 'paused', url: later.url, maxAge: '5s', retry: ['1ms'] },
    // Whose delivery is as old, and becomes older than that.
    { name: 'clock', url: server.url, maxAge: '6s', retry: { attempts: 50, initial: '300ms', factor: 1, max: '1s', jitter: 0 } }
  ])
  await gateway.api('POST', '/api/v1/subscribers/paused/pause')
  const held = await give(gateway, 'paused')
  const asOld = await give(gateway, 'clock')
  const old = await give(gateway, 'old')
  const older = await give(gateway, 'older')
  await until(async () => [old, older].every(id => told(gateway, 'delivery.failed', id).length === 1) || undefined)

  t.match((await detail(gateway, old)).deliveries, [{ state: 'failed', attempts: 1, lastStatusCode: 500 }])
  t.match(told(gateway, 'delivery.failed', old), [{ reason: 'expired' }])
  const { deliveries, attempts } = await detail(gateway, older)
  t.match(deliveries, [{ state: 'failed', attempts: attempts.length }])
  t.match(told(gateway, 'delivery.failed', older), [{ reason: 'expired' }])
  t.ok(attempts.length >= 1 && attempts.length <= 4, `${attempts.length} attempts fit a second`)

  await until('it has been held for longer than maxAge', () => told(gateway, 'delivery.failed', asOld).length === 1)
  await gateway.api('POST', '/api/v1/subscribers/paused/resume')
  await later.waitFor(2)
  await settled(gateway)
  t.match((await detail(gateway, held)).deliveries, [{ state: 'delivered', attempts: 2 }], 'held for longer than maxAge, it is as young as before')
})

const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD']

t.test('what a subscriber receives', async t => {
  const signed = await serve(t, inTurn(answers.status(500), answers.ok))
  const plain = await serve(t, answers.ok)
  const gateway = await start(t, [
    { name: 'signed', url: signed.url + '?a=b%20c', secrets: SECRETS, headers: { Authorization: 'Bearer abc', 'X-Own': 'yes' }, retry: ['1100ms'] },
    { name: 'plain', url: plain.url, match: { types: ['signed'] } }
  ])
  const body = '{ "taskId":"Zoë/1 2\u{1F680}","status":"1", "type":"signed","n":1.0}'
  const before = Date.now()
  const id = await acceptBytes(gateway, body, { 'content-type': 'application/json; charset=UTF-8' })
  const [first, second] = await signed.waitFor(2) as [Received, Received]
  const [unsigned] = await plain.waitFor(1) as [Received]

  await t.test('the bytes, and the headers that tell of them', async t => {
    for (const [at, { headers, body: bytes }] of [first, second].entries()) {
      t.equal(bytes.toString(), body)
      t.match(headers, {
        'content-type': 'application/json; charset=UTF-8',
        'content-length': String(Buffer.byteLength(body)),
        'webhook-id': id,
        'relay-task-id': encodeURIComponent('Zoë/1 2\u{1F680}'),
        'relay-attempt': String(at + 1),
        'relay-revision': '1',
        'user-agent': /^fotor-relay\/\d+\.\d+\.\d+/,
        authorization: 'Bearer abc',
        'x-own': 'yes'
      })
      t.notOk('relay-replay' in headers, 'it is no replay')
      const receivedAt = String(headers['relay-received-at'])
      t.match(receivedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      t.ok(Date.parse(receivedAt) >= before && Date.parse(receivedAt) <= first.at)
    }
    t.equal(first.headers['relay-received-at'], second.headers['relay-received-at'])
    t.match(id, /^evt_[0-9A-HJKMNP-TV-Z]{26}$/)
  })
  await t.test('the timestamp is that of the attempt', async t => {
    for (const { headers, at } of [first, second]) {
      t.match(headers['webhook-timestamp'], /^\d{10}$/)
      t.ok(Math.abs(Number(headers['webhook-timestamp']) - at / 1_000) < 5)
    }
    t.ok(Number(second.headers['webhook-timestamp']) > Number(first.headers['webhook-timestamp']))
  })
  await t.test('every secret signs every attempt', async t => {
    for (const { headers, body: bytes } of [first, second]) {
      t.equal(String(headers['webhook-signature']).split(' ').length, SECRETS.length)
      for (const secret of SECRETS) verify(secret, headers, bytes)
      t.throws(() => { verify('whsec_' + Buffer.alloc(24, 1).toString('base64'), headers, bytes) }, /signature/i, 'and no other')
      t.throws(() => { verify(SECRETS[0]!, headers, Buffer.from(body + ' ')) }, /signature/i, 'nor another body')
    }
    t.notOk('webhook-signature' in unsigned.headers, 'without a secret there is no signature')
    t.equal(unsigned.headers['webhook-id'], id, 'an event has one id for all its subscribers')
  })
  await t.test('a replay says so, keeps its id unless told otherwise, and counts on', async t => {
    const replay = async (more: object): Promise<string> => String((await gateway.api('POST', '/api/v1/replays', { eventIds: [id], subscriber: 'signed', ...more })).json['id'])
    const again = await replay({})
    const third = (await signed.waitFor(3))[2]!
    t.match(third.headers, { 'webhook-id': id, 'relay-replay': again, 'relay-attempt': '3' })
    await settled(gateway)
    const fresh = await replay({ newId: true })
    const fourth = (await signed.waitFor(4))[3]!
    t.match(fourth.headers, { 'relay-replay': fresh, 'relay-attempt': '4', 'webhook-id': /^[^.]+$/ })
    t.not(fourth.headers['webhook-id'], id, 'a fresh one')
    for (const secret of SECRETS) verify(secret, fourth.headers, fourth.body)
  })
  await t.test('other content under the same task and status is the next revision', async () => {
    await gateway.post(body.replace('1.0', '2.0'))
    const isRevised = ({ headers }: Received): boolean => headers['relay-revision'] === '2'
    const revised = (await plain.waitUntil(all => all.some(isRevised))).find(isRevised)
    t.not(revised?.headers['webhook-id'], id)
  })
})

/** @throws when the signature is not of this secret and these bytes */
function verify (secret: string, headers: Received['headers'], body: Buffer): void {
  new Webhook(secret).verify(body.toString(), headers as Record<string, string>)
}

t.test('of an answer 16 kB are read and 1 kB is kept', async t => {
  let written = 0
  const endless: Behaviour = response => {
    response.writeHead(200)
    const more = (): void => {
      for (let n = 0; n < 64 && !response.destroyed; n++) {
        written += 8_192
        if (!response.write('x'.repeat(8_192))) break
      }
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  }
  const server = await serve(t, endless)
  const closed = new Promise<void>(resolve => { server.behave((response, ...rest) => { response.once('close', resolve); endless(response, ...rest) }) })
  const speaker = await serve(t, response => { response.writeHead(422).end('é'.repeat(5_000)) })
  const short = await serve(t, response => { response.writeHead(422).end('no such\r\n\u0000 thing: \u001b[31mBearer abcdef') })
  const gateway = await start(t, [
    { name: 'endless', url: server.url, timeout: '20s' },
    { name: 'speaker', url: speaker.url, retry: [] },
    { name: 'short', url: short.url, retry: [], headers: { authorization: 'Bearer abcdef' } },
    { name: 'mute', url: (await serve(t, answers.ok)).url }
  ])
  const [a, b, c, d] = await Promise.all(['endless', 'speaker', 'short', 'mute'].map(async name => await give(gateway, name))) as [string, string, string, string]
  await closed
  await settled(gateway)

  t.match((await detail(gateway, a)).deliveries, [{ state: 'delivered', lastStatusCode: 200 }], 'its status is its answer')
  t.ok(written < 32 * 1024 * 1024, `the connection was closed on it (${written} bytes written, mostly to buffers)`)
  const excerptOf = async (id: string): Promise<string | null | undefined> => (await detail(gateway, id)).attempts[0]?.responseExcerpt
  t.equal(await excerptOf(a), 'x'.repeat(1_024))
  t.equal(await excerptOf(b), 'é'.repeat(512), 'cut between characters')
  t.equal(await excerptOf(c), 'no such  thing:  [31m***', 'without control characters, and without what was sent as a secret')
  t.equal(await excerptOf(d), null)
})
