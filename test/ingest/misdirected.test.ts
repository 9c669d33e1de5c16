/**
 * What a listed address sends and is refused may have been a callback: it is
 * told apart by what it looks like, and its body is kept.
 */
import t from '../support/tap.js'
import type { InjectOptions } from 'fastify'
import { CALLBACK, createEndpoint, head, listen, openWire, PATH, post, SENDER, STRANGER, type Endpoint } from './endpoint.js'
import { makeCertificates } from '../support/certificates.js'

async function send (endpoint: Endpoint, request: InjectOptions = {}) {
  return await endpoint.app.inject({ method: 'POST', url: PATH, remoteAddress: SENDER, payload: CALLBACK, ...request })
}

t.test('a callback to another path or by another method is kept, and what it looks like is reported', async t => {
  const endpoint = createEndpoint({ path: `${PATH}/this-month` })
  const last = `${PATH}/last-month`
  t.equal((await send(endpoint, { url: last, headers: { 'content-type': 'text/json' } })).statusCode, 404)
  t.equal((await send(endpoint, { url: `${PATH}//this-month` })).statusCode, 404)
  t.equal((await send(endpoint, { method: 'PUT', url: `${PATH}/this-month` })).statusCode, 405)
  t.match(endpoint.facts, [
    { reason: 'path', hint: 'segment', sampled: true }, { reason: 'path', hint: 'slashes', sampled: true }, { reason: 'method', sampled: true }
  ])
  t.match(endpoint.refused, [
    { budget: 'misdirected', source: SENDER, contentType: 'text/json', body: Buffer.from(CALLBACK), reason: 'the path is not ingest.path' },
    { budget: 'misdirected', reason: 'the path is not ingest.path' },
    { budget: 'misdirected', reason: 'the method is not POST' }
  ])
})

t.test('what is no callback is not kept, and neither is more than a few', async t => {
  const endpoint = createEndpoint()
  await send(endpoint, { url: '/', payload: 'hello' })
  await endpoint.app.inject({ url: '/', remoteAddress: SENDER })
  t.strictSame(endpoint.refused, [])
  for (let i = 0; i < 100; i++) t.equal((await send(endpoint, { url: '/' })).statusCode, 404)
  t.equal(endpoint.refused.length, 29, 'one of thirty reads a minute was of no callback; without a body none was made')
})

t.test('of a stranger who is let in nothing is kept', async t => {
  const endpoint = createEndpoint({ allowlist: 'monitor' })
  await send(endpoint, { url: '/', remoteAddress: STRANGER })
  t.strictSame(endpoint.refused, [])
  t.match(endpoint.facts, [{ fact: 'callback.unlisted' }, { reason: 'path', unlisted: true }])
})

const PROTOCOLS: ReadonlyArray<[says: string, bytes: Buffer | string, hint: string, status: number]> = [
  ['TLS to the plain port', Buffer.from('16030100a5010000a10303', 'hex'), 'tls', 400],
  ['the PROXY protocol', 'PROXY TCP4 54.212.95.175 10.0.0.1 40000 8080\r\n' + post(CALLBACK), 'proxy-protocol', 400],
  ['the PROXY protocol, version 2', Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex'), 'proxy-protocol', 400],
  ['a length, and chunks', head(['content-length: 2', 'transfer-encoding: chunked']) + '0\r\n\r\n', 'two-lengths', 400],
  ['chunks, and a length', head(['transfer-encoding: chunked', 'content-length: 2']) + '0\r\n\r\n', 'two-lengths', 400]
]
for (const [says, bytes, hint, status] of PROTOCOLS) {
  t.test(`${says} is told from other rubbish`, async t => {
    const endpoint = createEndpoint()
    const wire = await openWire(t, await listen(t, endpoint.app))
    wire.send(bytes)
    t.match(await wire.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
    t.match(endpoint.facts, [{ fact: 'callback.refused', reason: 'not-http', hint, status }])
  })
}

t.test('plain HTTP to a port that speaks TLS is told as well', async t => {
  const { server } = makeCertificates()
  const endpoint = createEndpoint({}, { tls: server })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(post(CALLBACK))
  await wire.closed
  t.match(endpoint.facts, [{ reason: 'not-http', hint: 'no-tls' }])
})

t.test('headers that are too large are told as headers', async t => {
  const endpoint = createEndpoint()
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(head([`x: ${'y'.repeat(20_000)}`]))
  await wire.closed
  t.match(endpoint.facts, [{ reason: 'headers', status: 431 }])
})

t.test('who says nothing was not refused', async t => {
  const endpoint = createEndpoint({}, { limits: { headersTimeoutMs: 100, checkIntervalMs: 20 } })
  const wire = await openWire(t, await listen(t, endpoint.app))
  t.match(await wire.closed, /^HTTP\/1\.1 408 /)
  t.strictSame(endpoint.facts, [])
})

t.test('who goes away in the middle was not refused', async t => {
  const endpoint = createEndpoint()
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send('POST /web')
  wire.socket.end()
  await wire.closed
  t.strictSame(endpoint.facts, [])
})
