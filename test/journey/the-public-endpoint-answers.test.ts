/**
 * The table of the public endpoint, row by row, over real HTTP to the running
 * gateway: what a sender is answered, and that what was refused as unreadable
 * or denied lies in the quarantine, byte for byte, and nothing else does.
 */
import type { Redis } from 'ioredis'
import t, { type Test } from '../support/tap.js'
import { keysOf } from '../../src/redis/keys.js'
import { makeHome, startInProcess, type Home, type Settings, type TestGateway } from '../support/gateway.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { acceptBytes, isTaken, sendDuplicate } from '../support/scene.js'
import { idsOf, startSubscriber, type TestSubscriber } from '../support/subscriber.js'
import { freePort, send, sendBytes, type WireAnswer, type WireRequest } from '../support/wire.js'
import { until } from '../support/until.js'

const PATH = '/webhooks/fotor'
const STRANGER = 'x-forwarded-for: 203.0.113.9'
const keys = keysOf('relay')
const EVENT_ID = /^evt_[0-9A-HJKMNP-TV-Z]{26}$/

let made = 0
/** A callback nobody has sent before. */
function fresh (more: object = {}): string {
  made += 1
  return JSON.stringify({ taskId: `task-${made}`, status: 1, type: 'avatar', ...more })
}

function post (body: string | Buffer, more: WireRequest = {}): WireRequest {
  return { method: 'POST', target: PATH, body, ...more }
}

interface Stage { redis: TestRedis, client: Redis, home: Home, gateway: TestGateway, subscriber: TestSubscriber, configure: (ingest?: Settings) => Promise<void> }

/** A gateway on an external Redis, behind a trusted proxy: callers name their address in X-Forwarded-For. */
async function setStage (t: Test, more: Settings = {}): Promise<Stage> {
  const port = await freePort()
  const redis = await startRedis(['--port', String(port), '--bind', '127.0.0.1'])
  const subscriber = await startSubscriber()
  const settings = (ingest: Settings = {}): Settings => ({
    ingest: { trustedProxies: ['127.0.0.1'], allowFrom: ['127.0.0.1', '198.51.100.0/24'], maxBody: '4kb', ...ingest },
    redis: { url: `redis://127.0.0.1:${port}` },
    subscribers: [{ name: 'one', url: subscriber.url }],
    ...more
  })
  const home = makeHome(settings())
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await subscriber.close()
    await redis.close()
    home.remove()
  })
  async function configure (ingest: Settings = {}): Promise<void> {
    home.configure(settings(ingest))
    t.match(await gateway.gateway.reload(), { changed: Array })
  }
  return { redis, client: redis.client(), home, gateway, subscriber, configure }
}

interface Row {
  says: string
  request: WireRequest
  status: number
  headers?: Record<string, string | RegExp>
  json?: object
  /** Where it must lie afterwards, and why. */
  kept?: { budget: 'unreadable' | 'denied', reason: string | RegExp, field?: string }
}

/** A body that is no callback. */
function unreadable (says: string, body: string | Buffer, problem: RegExp, field?: string): Row {
  return {
    says,
    request: post(body),
    status: 400,
    json: { status: 400, detail: problem, ...(field === undefined ? {} : { field }) },
    kept: { budget: 'unreadable', reason: problem, ...(field === undefined ? {} : { field }) }
  }
}

function taken (says: string, request: WireRequest): Row {
  return { says, request, status: 200, headers: { 'content-type': /^application\/json/ }, json: { status: 'accepted', eventId: EVENT_ID } }
}

function nowhere (target: string): Row {
  return { says: `${target} is another path`, request: post(fresh(), { target }), status: 404 }
}

function refusedMethod (method: string): Row {
  return { says: `${method} is another method`, request: { method, target: PATH }, status: 405, headers: { allow: 'POST' } }
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const lengthOf = (bytes: number): string => fresh().replace('}', `,"pad":"${'x'.repeat(bytes)}"}`).slice(0, bytes - 2) + '"}'

const ROWS: Row[] = [
  taken('a first arrival is accepted', post(fresh(), { headers: ['content-type: application/json'] })),
  taken('no content type is needed', post(fresh())),
  taken('no content type is refused', post(fresh(), { headers: ['content-type: image/png; nonsense'] })),
  taken('a body may come in chunks', post(fresh(), { chunked: true })),
  taken('a body may be as large as the limit', post(lengthOf(4 * 1024))),
  taken('Content-Encoding: identity says nothing', post(fresh(), { headers: ['content-encoding: identity'] })),
  taken('the query is ignored', post(fresh(), { target: `${PATH}?taskId=other&token=1` })),
  taken('one slash at the end of the path changes nothing', post(fresh(), { target: `${PATH}/` })),
  taken('a whole URL names the path as well', post(fresh(), { target: `http://relay${PATH}` })),
  taken('an allowed address behind a trusted proxy is let in', post(fresh(), { headers: ['x-forwarded-for: 203.0.113.9, 198.51.100.7'] })),
  taken('a status may be a string', post(fresh({ status: '2' }))),
  taken('a status may be unheard of', post(fresh({ status: -17 }))),
  taken('a taskId of 256 characters outside the basic plane', post(fresh({ taskId: '\u{1F680}'.repeat(256) }))),
  taken('a type of 128 characters', post(fresh({ type: 'x'.repeat(128) }))),
  taken('64 levels', post(fresh().replace('}', `,"deep":${nested(63)}}`))),
  taken('unknown fields, nulls, empty texts, repeated names of no meaning', post(fresh().replace('}', ',"__proto__":null,"":"","a":1,"a":2,"url":"s3://b/c"}'))),
  taken('a byte order mark', post('\ufeff' + fresh())),

  {
    says: 'an address that is not allowed is told nothing',
    request: post(fresh(), { headers: [STRANGER] }),
    status: 403,
    json: { status: 403, title: 'Forbidden' },
    kept: { budget: 'denied', reason: 'the address is not in allowFrom' }
  },
  {
    says: 'who is left of the first untrusted address is not believed',
    request: post(fresh(), { headers: ['x-forwarded-for: 198.51.100.7, 203.0.113.9'] }),
    status: 403,
    kept: { budget: 'denied', reason: 'the address is not in allowFrom' }
  },
  { says: 'the last of two X-Forwarded-For counts', request: post('', { headers: ['x-forwarded-for: 198.51.100.7', STRANGER] }), status: 403 },
  { says: 'an entry that is no address is nobody', request: post('', { headers: ['x-forwarded-for: unknown'] }), status: 403 },
  { says: 'a stranger does not learn the path', request: { ...post(fresh()), target: '/', headers: [STRANGER] }, status: 403 },
  { says: 'nor the method', request: { method: 'GET', target: PATH, headers: [STRANGER] }, status: 403 },
  { says: 'nor the limit; and what is too large is no sample', request: post('x'.repeat(5_000), { headers: [STRANGER] }), status: 403 },
  { says: 'what does not look like a callback is no sample', request: post('{}', { headers: [STRANGER] }), status: 403 },

  unreadable('no body', '', /not a usable JSON object/),
  unreadable('not JSON', 'taskId=1&status=1', /not a usable JSON object/),
  unreadable('cut off', fresh().slice(0, -3), /not a usable JSON object/),
  unreadable('two documents', fresh() + fresh(), /not a usable JSON object/),
  unreadable('an array', `[${fresh()}]`, /not a usable JSON object/),
  unreadable('null', 'null', /not a usable JSON object/),
  unreadable('a text', '"taskId"', /not a usable JSON object/),
  unreadable('NaN', fresh().replace('1,', 'NaN,'), /not a usable JSON object/),
  unreadable('65 levels', fresh().replace('}', `,"deep":${nested(64)}}`), /64/),
  unreadable('invalid UTF-8', Buffer.concat([Buffer.from('{"taskId":"'), Buffer.from([0xff]), Buffer.from('","status":1,"type":"x"}')]), /not UTF-8/),
  unreadable('an overlong encoding', Buffer.concat([Buffer.from('{"taskId":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('","status":1,"type":"x"}')]), /not UTF-8/),
  unreadable('UTF-16', Buffer.from(fresh(), 'utf16le'), /./),
  unreadable('no taskId', '{"status":1,"type":"x"}', /taskId is missing|is missing/, 'taskId'),
  unreadable('no status', '{"taskId":"a","type":"x"}', /is missing/, 'status'),
  unreadable('no type', '{"taskId":"a","status":1}', /is missing/, 'type'),
  unreadable('two taskIds', '{"taskId":"a","status":1,"type":"x","taskId":"a"}', /twice/, 'taskId'),
  unreadable('two taskIds, one of them escaped', '{"taskId":"a","status":1,"type":"x","task\\u0049d":"b"}', /twice/, 'taskId'),
  unreadable('two statuses', '{"taskId":"a","status":1,"type":"x","status":1}', /twice/, 'status'),
  unreadable('two types', '{"taskId":"a","status":1,"type":"x","type":"x"}', /twice/, 'type'),
  unreadable('a taskId that is a number', fresh({ taskId: 7 }), /must be a string/, 'taskId'),
  unreadable('a taskId that is null', fresh({ taskId: null }), /must be a string/, 'taskId'),
  unreadable('an empty taskId', fresh({ taskId: '' }), /empty/, 'taskId'),
  unreadable('a taskId of 257 characters', fresh({ taskId: 'x'.repeat(257) }), /256/, 'taskId'),
  unreadable('a taskId with a control character', fresh({ taskId: 'a\u0000b' }), /control/, 'taskId'),
  unreadable('a taskId with a line end', fresh({ taskId: 'a\nb' }), /control/, 'taskId'),
  unreadable('a taskId with half a surrogate pair', '{"taskId":"\\ud800","status":1,"type":"x"}', /surrogate/, 'taskId'),
  unreadable('a type of 129 characters', fresh({ type: 'x'.repeat(129) }), /128/, 'type'),
  unreadable('an empty type', fresh({ type: '' }), /empty/, 'type'),
  unreadable('a type that is a list', fresh({ type: ['x'] }), /must be a string/, 'type'),
  unreadable('half a status', fresh({ status: 1.5 }), /integer/, 'status'),
  unreadable('a status that is true', fresh({ status: true }), /integer/, 'status'),
  unreadable('a status that is a word', fresh({ status: 'done' }), /integer/, 'status'),
  unreadable('a status written 1.0', fresh().replace('"status":1', '"status":1.0'), /integer/, 'status'),
  unreadable('a status with more digits than any number holds', fresh().replace('"status":1', '"status":99999999999999999999'), /53 bits/, 'status'),
  {
    says: 'Content-Encoding: gzip is not undone',
    request: post(fresh(), { headers: ['content-encoding: gzip'] }),
    status: 400,
    json: { detail: /Content-Encoding/ },
    kept: { budget: 'unreadable', reason: /Content-Encoding/ }
  },
  {
    says: 'nor one of several',
    request: post(fresh(), { headers: ['content-encoding: identity, br'] }),
    status: 400,
    kept: { budget: 'unreadable', reason: /Content-Encoding/ }
  },

  { says: 'a body over the limit, announced', request: post(lengthOf(4 * 1024 + 1)), status: 413, json: { detail: /4096 bytes/ } },
  { says: 'a body over the limit, in chunks', request: post('x'.repeat(100_000), { chunked: true }), status: 413, json: { detail: /4096 bytes/ } },
  { says: 'size is asked before content', request: post('x'.repeat(5_000), { headers: ['content-encoding: gzip'] }), status: 413 },

  ...['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'].map(refusedMethod),
  { says: 'the path is asked before the method', request: { method: 'GET', target: '/' }, status: 404 },
  ...[
    '/', PATH + '//', '/webhooks', '//webhooks/fotor', '/webhooks//fotor', '/webhooks/./fotor', '/webhooks/x/../fotor', '/../webhooks/fotor',
    '/webhooks/%66otor', '/webhooks%2ffotor', '/WEBHOOKS/FOTOR', `${PATH};a=b`, `${PATH}%3Fa`, `${PATH}%00`, `${PATH}#a`, `${PATH}.json`,
    `http://relay${PATH}.json`, '/webhooks\\fotor', '/%', '/api/v1/events', '/healthz', '/metrics'
  ].map(nowhere)
]

t.test('each row of the table', async t => {
  const { gateway, client, subscriber } = await setStage(t)
  const origin = new URL(gateway.ingestUrl).origin

  /** The ids of everything in the quarantine, by budget. */
  async function quarantined (budget: 'unreadable' | 'denied'): Promise<string[]> {
    return await client.zrange(keys.quarantine(budget), '0', '-1')
  }

  async function untilRedisAnswers (request: WireRequest): Promise<WireAnswer> {
    return await until('Redis has it', async () => {
      const answer = await send(origin, request)
      return answer.json?.['status'] === 'spooled' ? undefined : answer
    })
  }

  for (const row of ROWS) {
    await t.test(row.says, async t => {
      const { kept } = row
      const before = new Set(kept === undefined ? [] : await quarantined(kept.budget))
      const answer = await send(origin, row.request)
      t.equal(answer.status, row.status, answer.text.slice(0, 300))
      t.match(answer.headers, row.headers ?? {})
      if (answer.json?.['status'] === 'spooled') {
        // After a pause of the machine: sent again, it is a callback that Redis has.
        t.ok(await isTaken(gateway, { status: answer.status, json: answer.json }))
        t.match(await untilRedisAnswers(row.request), { status: 200, json: { status: /^(accepted|duplicate)$/, eventId: EVENT_ID } })
      } else if (row.json !== undefined) {
        t.match(answer.json, row.json)
      }
      if (row.status !== 200) isProblem(t, answer, row)
      if (kept === undefined) return

      const id = await until(async () => (await quarantined(kept.budget)).find(one => !before.has(one)))
      const entry = await client.hgetall(keys.quarantined(id))
      t.match(entry, { budget: kept.budget, field: kept.field ?? '' })
      t.match(entry['reason'], kept.reason)
      t.ok((await client.hgetBuffer(keys.quarantined(id), 'body'))?.equals(Buffer.from(row.request.body ?? '')), 'byte for byte')
    })
  }

  await t.test('nothing but what was unreadable or denied is in the quarantine', async t => {
    const wanted = (budget: 'unreadable' | 'denied'): number => ROWS.filter(({ kept }) => kept?.budget === budget).length
    t.equal((await quarantined('unreadable')).length, wanted('unreadable'))
    t.equal((await quarantined('denied')).length, wanted('denied'))
  })

  await t.test('what was accepted is delivered, what was refused is not', async t => {
    const accepted = ROWS.filter(({ status }) => status === 200)
    await subscriber.waitFor(accepted.length)
    const wanted = accepted.map(({ request }) => String(request.body)).sort()
    t.strictSame(subscriber.received.map(({ body }) => body.toString()).sort(), wanted)
    const plain = subscriber.received.find(({ body }) => body.toString() === String(ROWS[1]!.request.body))
    t.equal(plain?.headers['content-type'], 'application/json', 'an absent content type is forwarded as this')
  })

  await t.test('each refusal is counted with its reason, without path or query', async t => {
    const refused = gateway.log.filter(({ msg }) => msg === 'callback.refused')
    t.equal(refused.length, ROWS.filter(({ status }) => status !== 200).length)
    t.equal(refused.filter(({ reason, status }) => reason === 'size' && status === 413).length, 3)
    t.equal(refused.filter(({ sampled, reason }) => reason === 'address' && sampled === true).length, 2)
    t.notMatch(JSON.stringify(gateway.log), /\/webhooks|token=1/)
  })

  await t.test('what is not HTTP is told so and cut off', async t => {
    for (const bytes of ['nonsense\r\n\r\n', 'FOO / HTTP/1.1\r\n\r\n', 'POST / HTTP/9.9\r\n\r\n', `POST ${PATH} HTTP/1.1\r\na b: c\r\n\r\n`, `POST ${PATH} HTTP/1.1\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`]) {
      const answer = await sendBytes(origin, bytes)
      t.equal(answer.status, 400, JSON.stringify(bytes))
      t.equal(answer.headers['content-type'], 'application/problem+json')
    }
    t.equal((await sendBytes(origin, `POST ${PATH} HTTP/1.1\r\na: ${'x'.repeat(20_000)}\r\n\r\n`)).status, 431, 'too large a header')
    t.equal((await send(origin, { target: PATH, headers: Array.from({ length: 150 }, (_, at) => `a${at}: b`) })).status, 431, 'too many headers')
  })
})

function isProblem (t: Test, { headers, json, body }: WireAnswer, { request, status }: Row): void {
  t.equal(headers['content-type'], 'application/problem+json')
  if (request.method === 'HEAD') return
  t.match(json, { type: 'about:blank', title: String, status })
  if (status === 403) t.strictSame(Object.keys(json ?? {}).sort(), ['status', 'title', 'type'], 'no detail')
  t.notMatch(body, /task-\d|\.ts\b|\.js\b/, 'and quotes nothing')
}

t.test('a duplicate is answered with the id of the first', async t => {
  const { gateway } = await setStage(t)
  const body = fresh()
  const eventId = await acceptBytes(gateway, body)
  t.match(eventId, EVENT_ID)
  t.strictSame((await sendDuplicate(gateway, body)).json, { status: 'duplicate', eventId })
})

for (const store of ['local', 'redis']) {
  t.test(`over the rate limit: 429 with Retry-After, for that address alone (counted in ${store})`, async t => {
    const { gateway, configure } = await setStage(t)
    await configure({ rateLimit: { max: 2, per: '1m', store } })
    const one = { headers: ['x-forwarded-for: 198.51.100.1'] }
    const answers: WireAnswer[] = []
    for (let n = 0; n < 3; n++) answers.push(await send(gateway.ingestUrl, post(fresh(), one)))
    t.strictSame(answers.map(({ status }) => status), [200, 200, 429])
    const { headers, json } = answers[2]!
    t.match(headers['retry-after'], /^[1-9]\d?$/)
    t.ok(Number(headers['retry-after']) <= 60)
    t.match(json, { title: 'Too Many Requests' })
    t.equal((await send(gateway.ingestUrl, post(fresh(), { headers: ['x-forwarded-for: 198.51.100.2'] }))).status, 200, 'another address is not bothered')
    t.equal((await send(gateway.ingestUrl, { ...one, target: '/' })).status, 404, 'only callbacks are counted')
  })
}

t.test('Redis away and no spool: 503 with Retry-After, refusals as ever, and all is well when it is back', async t => {
  const { gateway, redis, subscriber } = await setStage(t, { spool: { enabled: false } })
  const origin = new URL(gateway.ingestUrl).origin
  const accepted = new Set<unknown>()

  /** Posts one callback until it gets its 200, as Fotor does. */
  async function untilTaken (body: string): Promise<void> {
    await until(async () => {
      const { status, json } = await send(origin, post(body))
      if (status === 200) accepted.add(json?.['eventId'])
      return status === 200 || undefined
    })
  }
  async function isAway (t: Test, body: string): Promise<void> {
    const answer = await send(origin, post(body))
    t.equal(answer.status, 503, 'while it is away: it was not waited for')
    t.match(answer.headers['retry-after'], /^[1-9]\d*$/)
    t.match(answer.json, { detail: /send it again/ })
    t.equal((await send(origin, { method: 'GET', target: PATH })).status, 405)
    t.equal((await send(origin, post('{}'))).status, 400, 'a callback that could never be taken is still refused')
    t.equal((await send(origin, post(fresh(), { headers: [STRANGER] }))).status, 403)
  }

  await t.test('killed', async t => {
    const body = fresh()
    await redis.kill()
    await isAway(t, body)
    await redis.restart()
    await untilTaken(body)
  })
  await t.test('frozen', async t => {
    const body = fresh()
    redis.process.kill('SIGSTOP')
    try { await isAway(t, body) } finally { redis.process.kill('SIGCONT') }
    await untilTaken(body)
  })
  await subscriber.waitUntil(received => new Set(idsOf(received)).size >= accepted.size)
  t.strictSame(new Set(idsOf(subscriber.received)), accepted, 'each was delivered under the id it was answered with')
})

t.test('Redis away: 200 spooled without an event id, refusals as ever', async t => {
  const { gateway, redis, subscriber } = await setStage(t)
  const origin = new URL(gateway.ingestUrl).origin
  await redis.kill()
  const answer = await send(origin, post(fresh()))
  t.match(answer, { status: 200, headers: { 'content-type': /^application\/json/ }, body: '{"status":"spooled"}' })
  t.equal((await send(origin, { method: 'GET', target: PATH })).status, 405)
  t.equal((await send(origin, post('{}'))).status, 400)
  t.equal((await send(origin, post(fresh(), { headers: [STRANGER] }))).status, 403)
  await redis.restart()
  await subscriber.waitFor(1)
})

t.test('monitor mode lets strangers in and flags their events', async t => {
  const { gateway, configure, subscriber } = await setStage(t)
  await configure({ allowlist: 'monitor' })
  const stranger = await send(gateway.ingestUrl, post(fresh({ taskId: 'of a stranger' }), { headers: [STRANGER] }))
  const friend = await send(gateway.ingestUrl, post(fresh({ taskId: 'of a friend' })))
  t.strictSame([stranger.status, friend.status], [200, 200])
  await subscriber.waitFor(2)
  for (const [taskId, flags] of [['of a stranger', ['unlisted']], ['of a friend', []]] as const) {
    t.match((await gateway.api('GET', `/api/v1/events?taskId=${encodeURIComponent(taskId)}`)).json, { items: [{ flags }] })
  }
  const { json } = await gateway.api<{ items: unknown[] }>('GET', '/api/v1/events?flag=unlisted')
  t.equal(json.items.length, 1, 'an operator finds them by their flag')
})

t.test('a proxy that is not trusted is named once, with the line that mends it', async t => {
  const { gateway, configure } = await setStage(t)
  await configure({ trustedProxies: [], allowFrom: ['198.51.100.0/24'] })
  for (let n = 0; n < 3; n++) t.equal((await send(gateway.ingestUrl, post(fresh(), { headers: ['x-forwarded-for: 198.51.100.7'] }))).status, 403)
  const advice = gateway.log.filter(({ msg }) => msg === 'callback.proxy-untrusted')
  t.strictSame(advice.map(line => line['advice']), ['trustedProxies: [127.0.0.1/32]'])
})
