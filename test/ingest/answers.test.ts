/**
 * The table of answers, line by line, and the order of the checks.
 */
import t from '../support/tap.js'
import type { InjectOptions } from 'fastify'
import type { Acceptance } from '../../src/accept/arrival.js'
import { CALLBACK, createEndpoint, listen, openWire, PATH, SENDER, STRANGER, type Endpoint } from './endpoint.js'

async function send (endpoint: Endpoint, request: InjectOptions = {}) {
  return await endpoint.app.inject({ method: 'POST', url: PATH, remoteAddress: SENDER, payload: CALLBACK, ...request })
}

const ACCEPTANCES: ReadonlyArray<[says: string, acceptance: Acceptance, status: number, body: string]> = [
  ['a first arrival', { kind: 'accepted', eventId: 'evt_A' }, 200, '{"status":"accepted","eventId":"evt_A"}'],
  ['a duplicate', { kind: 'duplicate', eventId: 'evt_A' }, 200, '{"status":"duplicate","eventId":"evt_A"}'],
  ['durable only in the spool', { kind: 'spooled' }, 200, '{"status":"spooled"}'],
  ['unreadable, with a field', { kind: 'unreadable', field: 'taskId', problem: 'is missing' }, 400,
    '{"type":"about:blank","title":"Bad Request","status":400,"detail":"taskId is missing.","field":"taskId"}'],
  ['unreadable as a whole', { kind: 'unreadable', field: null, problem: 'the body is not UTF-8' }, 400,
    '{"type":"about:blank","title":"Bad Request","status":400,"detail":"the body is not UTF-8."}'],
  ['not durable', { kind: 'unavailable', reason: 'redis says SECRET' }, 503,
    '{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The callback could not be stored. Please send it again."}']
]
for (const [says, acceptance, status, body] of ACCEPTANCES) {
  t.test(`${says} is answered ${status}`, async t => {
    const endpoint = createEndpoint()
    endpoint.acceptance = acceptance
    const answer = await send(endpoint)
    t.equal(answer.statusCode, status)
    t.equal(answer.body, body)
    t.match(answer.headers['content-type'], status === 200 ? /^application\/json/ : /^application\/problem\+json$/)
    t.equal(answer.headers['retry-after'], status === 503 ? '5' : undefined)
  })
}

const REFUSALS: ReadonlyArray<[says: string, request: InjectOptions, status: number, reason: string]> = [
  ['an address that is not allowed', { remoteAddress: STRANGER }, 403, 'address'],
  ['another path', { url: '/' }, 404, 'path'],
  ['a path below it', { url: PATH + '/x' }, 404, 'path'],
  ['GET', { method: 'GET' }, 405, 'method'],
  ['HEAD', { method: 'HEAD' }, 405, 'method'],
  ['OPTIONS', { method: 'OPTIONS' }, 405, 'method'],
  ['PUT', { method: 'PUT' }, 405, 'method'],
  ['DELETE', { method: 'DELETE' }, 405, 'method'],
  ['a method with a name of its own', { method: 'PROPFIND' as 'GET' }, 405, 'method'],
  ['a body over the limit', { payload: 'x'.repeat(1025) }, 413, 'size'],
  ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 400, 'encoding'],
  ['two encodings', { headers: { 'content-encoding': 'identity, gzip' } }, 400, 'encoding'],
  ['too many headers', { headers: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, '1'])) }, 431, 'headers']
]
for (const [says, request, status, reason] of REFUSALS) {
  t.test(`${says} is answered ${status}, and reported`, async t => {
    const endpoint = createEndpoint()
    const answer = await send(endpoint, request)
    t.equal(answer.statusCode, status)
    t.match(endpoint.facts, [{ fact: 'callback.refused', status, reason, source: request.remoteAddress ?? SENDER }])
    t.equal(endpoint.facts.length, 1)
    t.equal(endpoint.arrivals.length, 0, 'accept never saw it')
    if (request.method === 'HEAD') return
    t.equal(answer.headers['content-type'], 'application/problem+json')
    t.match(answer.json(), { type: 'about:blank', status })
  })
}

t.test('405 says what is allowed', async t => {
  const answer = await send(createEndpoint(), { method: 'GET' })
  t.equal(answer.headers.allow, 'POST')
})

t.test('403 says nothing more', async t => {
  const answer = await send(createEndpoint(), { remoteAddress: STRANGER })
  t.equal(answer.body, '{"type":"about:blank","title":"Forbidden","status":403}')
})

t.test('the address is asked first: a stranger gets 403 whatever else is wrong', async t => {
  const others: InjectOptions[] = [
    { url: '/elsewhere' }, { url: '/%' }, { method: 'GET' }, { method: 'PROPFIND' as 'GET' },
    { headers: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, '1'])) }, { payload: 'x'.repeat(5_000) }, { headers: { 'content-encoding': 'gzip' } }, { payload: '{' }
  ]
  for (const other of others) {
    const answer = await send(createEndpoint(), { ...other, remoteAddress: STRANGER })
    t.equal(answer.statusCode, 403, JSON.stringify(other).slice(0, 60))
  }
})

/** What the parser knows and the router has no word for; only with the name of its own protocol. */
const METHODS_OF_RTSP = ['ANNOUNCE', 'DESCRIBE', 'SETUP', 'PLAY', 'PAUSE', 'TEARDOWN', 'GET_PARAMETER', 'SET_PARAMETER', 'REDIRECT', 'RECORD', 'FLUSH']

t.test('a method that the framework does not know is 405 like any other, and no fault of ours', async t => {
  const endpoint = createEndpoint()
  const port = await listen(t, endpoint.app)
  for (const method of METHODS_OF_RTSP) {
    const wire = await openWire(t, port)
    wire.send(`${method} ${PATH} RTSP/1.0\r\n\r\n`)
    t.match(await wire.closed, /^HTTP\/1\.1 405 [^]*\r\nallow: POST\r\n/i, method)
  }
  t.match(endpoint.facts, METHODS_OF_RTSP.map(() => ({ fact: 'callback.refused', reason: 'method' })))
})

/** Whatever a stranger sends. */
const OF_STRANGERS: ReadonlyArray<[says: string, bytes: string]> = [
  ['a hundred headers and one', `GET ${PATH} HTTP/1.1\r\nhost: a\r\n${'a:\r\n'.repeat(101)}\r\n`],
  ...METHODS_OF_RTSP.map((method): [string, string] => [method, `${method} ${PATH} RTSP/1.0\r\n\r\n`]),
  ['no Host', `POST ${PATH} HTTP/1.1\r\n\r\n`],
  ['rubbish', 'rubbish\r\n\r\n'],
  ['too large a header', `POST ${PATH} HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
  ['a header that breaks off', `POST ${PATH} HTTP/1.1\r\nho`]
]
for (const [says, bytes] of OF_STRANGERS) {
  t.test(`a stranger gets 403 and no connection, and is one whose address was refused: ${says}`, async t => {
    const endpoint = createEndpoint({ allowFrom: [] }, { limits: { headersTimeoutMs: 200, checkIntervalMs: 20 } })
    const wire = await openWire(t, await listen(t, endpoint.app))
    wire.send(bytes)
    t.match(await wire.closed, /^HTTP\/1\.1 403 [^]*\r\nconnection: close\r\n[^]*"status":403}$/i)
    t.match(endpoint.facts, [{ fact: 'callback.refused', status: 403, reason: 'address' }])
  })
}

t.test('in monitor mode a stranger is told what is wrong, and its refusals are marked', async t => {
  const endpoint = createEndpoint({ allowFrom: [], allowlist: 'monitor' })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send('rubbish\r\n\r\n')
  t.match(await wire.closed, /^HTTP\/1\.1 400 /)
  t.match(endpoint.facts, [{ status: 400, reason: 'not-http', unlisted: true }])
})

const HOSTS: ReadonlyArray<[says: string, version: string, lines: string, status: number]> = [
  ['one', '1.1', 'host: a\r\n', 200],
  ['an empty one', '1.1', 'host:\r\n', 200],
  ['none', '1.1', '', 400],
  ['two', '1.1', 'host: a\r\nHost: b\r\n', 400],
  ['twice the same', '1.1', 'host: a\r\nhost: a\r\n', 400],
  ['none in HTTP/1.0', '1.0', '', 200],
  ['two in HTTP/1.0', '1.0', 'host: a\r\nhost: b\r\n', 400]
]
for (const [says, version, lines, status] of HOSTS) {
  t.test(`Host, ${says}: ${status}`, async t => {
    const endpoint = createEndpoint()
    const wire = await openWire(t, await listen(t, endpoint.app))
    wire.send(`POST ${PATH} HTTP/${version}\r\n${lines}connection: close\r\ncontent-length: ${CALLBACK.length}\r\n\r\n${CALLBACK}`)
    t.match(await wire.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
    if (status === 400) t.match(endpoint.facts, [{ reason: 'headers', status }])
  })
}

t.test('path, method, rate, size and content follow in that order', async t => {
  const none = { max: 0, perMs: 60_000, store: 'local' } as const
  const wrong = { payload: 'x'.repeat(5_000), headers: { 'content-encoding': 'gzip' } }
  t.equal((await send(createEndpoint({ rateLimit: none }), { ...wrong, method: 'GET', url: '/x' })).statusCode, 404)
  t.equal((await send(createEndpoint({ rateLimit: none }), { ...wrong, method: 'PUT' })).statusCode, 405)
  t.equal((await send(createEndpoint({ rateLimit: none }), wrong)).statusCode, 429)
  t.equal((await send(createEndpoint(), wrong)).statusCode, 413)
})

t.test('what passes is handed on byte for byte, with its content type', async t => {
  const bytes = Buffer.from('{ "a": "caf\u00e9 \u{1f600}",\r\n "b": 12345678901234567890 }\n\u0000')
  const types: ReadonlyArray<[sent: string | undefined, is: string]> = [
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['application/json; charset=utf-8', 'application/json; charset=utf-8'],
    ['text/plain', 'text/plain'],
    ['multipart/form-data', 'multipart/form-data'],
    ['not a type at all;;', 'not a type at all;;']
  ]
  for (const [sent, is] of types) {
    const endpoint = createEndpoint()
    const before = Date.now()
    const answer = await send(endpoint, { payload: bytes, headers: sent === undefined ? {} : { 'content-type': sent } })
    t.equal(answer.statusCode, 200)
    const [arrival] = endpoint.arrivals
    t.strictSame(arrival!.body, bytes)
    t.equal(arrival!.contentType, is)
    t.strictSame(arrival!.flags, [])
    t.ok(arrival!.receivedAt >= before && arrival!.receivedAt <= Date.now())
  }
})

t.test('a POST without a body is an empty arrival', async t => {
  const endpoint = createEndpoint()
  await endpoint.app.inject({ method: 'POST', url: PATH, remoteAddress: SENDER })
  t.equal(endpoint.arrivals[0]!.body.length, 0)
})

t.test('identity is no encoding, however it is written', async t => {
  for (const encoding of ['identity', 'Identity', '']) {
    const answer = await send(createEndpoint(), { headers: { 'content-encoding': encoding } })
    t.equal(answer.statusCode, 200)
  }
})

t.test('unreadable callbacks go to the quarantine as they came', async t => {
  const endpoint = createEndpoint()
  endpoint.acceptance = { kind: 'unreadable', field: 'status', problem: 'is missing' }
  await send(endpoint, { payload: Buffer.from([0xff, 0x00]), headers: { 'content-type': 'text/x' } })
  await send(endpoint, { payload: Buffer.from([0x1f, 0x8b]), headers: { 'content-encoding': 'gzip' } })
  t.match(endpoint.refused, [
    { budget: 'unreadable', field: 'status', reason: 'is missing', source: SENDER, contentType: 'text/x', body: Buffer.from([0xff, 0x00]) },
    { budget: 'unreadable', field: null, source: SENDER, body: Buffer.from([0x1f, 0x8b]) }
  ])
  t.match(endpoint.facts, [{ reason: 'content', sampled: true }, { reason: 'encoding', sampled: true }])
})

t.test('a quarantine that fails changes no answer', async t => {
  const endpoint = createEndpoint({}, { quarantine: () => { throw new Error('full') } })
  endpoint.acceptance = { kind: 'unreadable', field: null, problem: 'x' }
  t.equal((await send(endpoint)).statusCode, 400)
  t.equal((await send(endpoint, { remoteAddress: STRANGER })).statusCode, 403)
  t.match(endpoint.facts, [{ sampled: false }, { sampled: false }])
})

t.test('our own fault is 503, never a 4xx, and tells nothing', async t => {
  const fault = new Error('SECRET')
  const faults: ReadonlyArray<[says: string, endpoint: Endpoint]> = [
    ['accept rejects', createEndpoint({}, { accept: async () => { throw fault } })],
    ['accept throws', createEndpoint({}, { accept: () => { throw fault } })],
    ['the policy cannot be had', createEndpoint({}, { policy: () => { throw fault } })],
    ['the policy cannot be read', createEndpoint({ allowFrom: ['nowhere'] })]
  ]
  for (const [says, endpoint] of faults) {
    const answer = await send(endpoint)
    t.equal(answer.statusCode, 503, says)
    t.equal(answer.headers['retry-after'], '5', says)
    t.notMatch(answer.body, /SECRET|Error|at /, says)
    t.match(endpoint.facts, [{ fact: 'accept.unavailable' }], says)
  }
})

t.test('a reload takes effect with the next callback', async t => {
  const endpoint = createEndpoint()
  t.equal((await send(endpoint)).statusCode, 200)
  endpoint.policy = { ...endpoint.policy, path: '/new', maxBodyBytes: 10 }
  t.equal((await send(endpoint)).statusCode, 404)
  t.equal((await send(endpoint, { url: '/new' })).statusCode, 413)
  endpoint.policy = { ...endpoint.policy, allowFrom: [STRANGER] }
  t.equal((await send(endpoint, { url: '/new' })).statusCode, 403)
})

t.test('no header of ours names the software', async t => {
  const answer = await send(createEndpoint())
  t.notMatch(Object.keys(answer.headers).join(), /server|powered|ratelimit/)
})
