/**
 * One request and its answer. Subscribers that misbehave have a table of their
 * own, `misbehaviour.ts`.
 */
import { once } from 'node:events'
import { connect, type AddressInfo, createServer } from 'node:net'
import t from '../support/tap.js'
import { createOutbound, type Answer, type Outbound } from '../../src/outbound/request.js'
import type { Subscriber } from '../../src/model/subscriber.js'
import { onHead, startHttp, startRaw, subscriberAt, type Closing } from './servers.js'

const BODY = Buffer.from('{"taskId":"t1","status":1}')

function outboundFor (t: Closing): Outbound {
  const outbound = createOutbound()
  t.teardown(() => { outbound.close() })
  return outbound
}

async function post (outbound: Outbound, to: Subscriber, headers: Record<string, string> = {}): Promise<Answer> {
  return await outbound.request({ to, headers: { 'content-type': 'application/json', ...headers }, body: BODY })
}

t.test('a request arrives as it was given and its answer comes back', async t => {
  const server = await startHttp(t, (_, response) => { response.writeHead(202, { 'retry-after': '7' }).end('taken') })
  const answer = await post(outboundFor(t), subscriberAt(server.url + '/hooks/fotor?from=relay'), { 'x-one': '1' })
  t.match(answer, { status: 202, retryAfter: '7', excerpt: 'taken', latencyMs: Number })
  const [request] = server.received
  t.match(request, { method: 'POST', url: '/hooks/fotor?from=relay', headers: { 'x-one': '1', 'content-length': String(BODY.length) } })
  t.strictSame(request!.body, BODY)
})

t.test('a redirect is an answer and is not followed', async t => {
  const elsewhere = await startHttp(t)
  for (const status of [301, 302, 303, 307, 308]) {
    const server = await startHttp(t, (_, response) => { response.writeHead(status, { location: elsewhere.url }).end() })
    t.match(await post(outboundFor(t), subscriberAt(server.url)), { status, excerpt: null })
  }
  t.equal(elsewhere.connections(), 0)
})

t.test('an answer before the answer (1xx) and trailers are dropped', async t => {
  const server = await startRaw(t, socket => onHead(socket, () => socket.write(
    'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n' +
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: retry-after\r\n\r\n2\r\nok\r\n0\r\nretry-after: 9\r\n\r\n')))
  const answer = await post(outboundFor(t), subscriberAt(server.url))
  t.match(answer, { status: 200, excerpt: 'ok' })
  t.notOk('retryAfter' in answer)

  const only = await startRaw(t, socket => onHead(socket, () => socket.end('HTTP/1.1 103 Early Hints\r\n\r\n')))
  t.match(await post(outboundFor(t), subscriberAt(only.url)), { error: /^connection closed before the answer was complete$/ })
})

t.test('connections are kept and used again', async t => {
  const server = await startHttp(t, (_, response) => { response.end('ok') })
  const outbound = outboundFor(t)
  for (let at = 0; at < 5; at++) await post(outbound, subscriberAt(server.url))
  t.equal(new Set(server.received.map(({ from }) => from)).size, 1)
  t.equal(server.connections(), 1)
})

t.test('concurrent requests use a connection each, and no more are kept than the concurrency', async t => {
  const waiting: Array<() => void> = []
  const server = await startHttp(t, (_, response) => {
    waiting.push(() => response.end())
    if (waiting.length === 3) for (const answer of waiting.splice(0)) answer()
  })
  const outbound = outboundFor(t)
  const to = subscriberAt(server.url, { concurrency: 2 })
  const round = async (): Promise<void> => { await Promise.all([post(outbound, to), post(outbound, to), post(outbound, to)]) }
  await round()
  t.equal(server.connections(), 3)
  await round()
  t.equal(server.connections(), 4, 'two were kept, one was new')
})

t.test('one who hangs holds nothing of ours after the timeout', async t => {
  const server = await startRaw(t, () => {})
  const began = performance.now()
  const answer = await post(outboundFor(t), subscriberAt(server.url, { timeoutMs: 150 }))
  t.match(answer, { failure: 'timeout', error: 'no complete answer within 150 ms' })
  t.ok(answer.latencyMs >= 149 && answer.latencyMs <= performance.now() - began, `${answer.latencyMs} ms`)
  await server.quiet()
  const probe = connect(server.port, '127.0.0.1')
  await once(probe, 'connect')
  t.equal(server.connections(), 2, 'the probe of this test: nobody connected again')
  probe.destroy()
})

t.test('who gives up on a TLS handshake closes its socket at once', async t => {
  const stop = new AbortController()
  const server = await startRaw(t, socket => socket.once('data', () => { stop.abort() }))
  const to = subscriberAt(server.url.replace('http:', 'https:'), { timeoutMs: 60_000 })
  t.match(await outboundFor(t).request({ to, headers: {}, body: BODY, signal: stop.signal }), { failure: 'aborted' })
  await server.quiet()
})

t.test('an endless answer is read to 16 kB, counts, and costs the connection', async t => {
  let sent = 0
  const server = await startRaw(t, socket => onHead(socket, () => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    const more = (): void => { while (!socket.destroyed && socket.write('400\r\n' + 'a'.repeat(0x400) + '\r\n')) sent += 0x400 }
    socket.on('drain', more)
    more()
  }))
  const answer = await post(outboundFor(t), subscriberAt(server.url))
  t.match(answer, { status: 200, excerpt: 'a'.repeat(1024) })
  await server.quiet()
  t.ok(sent < 32 * 1024 * 1024, 'the sender was stopped')
})

t.test('an answer of exactly 16 kB keeps its connection', async t => {
  const server = await startHttp(t, (_, response) => { response.end('b'.repeat(16 * 1024)) })
  const outbound = outboundFor(t)
  await post(outbound, subscriberAt(server.url))
  await post(outbound, subscriberAt(server.url))
  t.equal(server.connections(), 1)
})

t.test('a refused port and an unknown name are failed connections with their code', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  t.match(await post(outboundFor(t), subscriberAt(`http://127.0.0.1:${port}`)), { failure: 'connection', error: 'ECONNREFUSED' })
  t.match(await post(outboundFor(t), subscriberAt('http://nonexistent.invalid/')), { failure: 'connection', error: /^(ENOTFOUND|EAI_AGAIN)$/ })
})

t.test('a signal ends a request under way, and stops one before it starts', async t => {
  const server = await startHttp(t, () => { stop.abort() })
  const stop = new AbortController()
  const outbound = outboundFor(t)
  const request = { to: subscriberAt(server.url), headers: {}, body: BODY, signal: stop.signal }
  t.match(await outbound.request(request), { failure: 'aborted' })
  await server.quiet()
  t.match(await outbound.request(request), { failure: 'aborted' })
  t.equal(server.connections(), 1)
})

t.test('one signal may end many requests without a warning', async t => {
  const warnings: string[] = []
  const onWarning = ({ name }: Error): void => { warnings.push(name) }
  process.on('warning', onWarning)
  t.teardown(() => { process.off('warning', onWarning) })
  let arrived = 0
  const stop = new AbortController()
  const server = await startHttp(t, () => { if (++arrived === 20) stop.abort() })
  const outbound = outboundFor(t)
  const answers = await Promise.all(Array.from({ length: 20 }, async () =>
    await outbound.request({ to: subscriberAt(server.url), headers: {}, body: BODY, signal: stop.signal })))
  t.ok(answers.every(answer => 'failure' in answer && answer.failure === 'aborted'))
  t.strictSame(warnings, [])
})

t.test('closing ends what is under way and sends nothing more', async t => {
  const server = await startHttp(t, () => { outbound.close() })
  const outbound = outboundFor(t)
  t.match(await post(outbound, subscriberAt(server.url)), { failure: 'aborted' })
  await server.quiet()
  t.match(await post(outbound, subscriberAt(server.url)), { failure: 'aborted' })
  t.equal(server.connections(), 1)
})

t.test('credentials of a URL become an authorization header, which the subscriber\'s own replaces', async t => {
  const server = await startHttp(t)
  const to = subscriberAt(`http://user:p%40ss@127.0.0.1:${server.port}/`)
  const outbound = outboundFor(t)
  await post(outbound, to)
  await post(outbound, to, { authorization: 'Bearer mine' })
  t.strictSame(server.received.map(({ headers }) => headers.authorization), ['Basic ' + Buffer.from('user:p@ss').toString('base64'), 'Bearer mine'])
})

t.test('an answer that echoes secrets shows none of them', async t => {
  const server = await startHttp(t, (request, response) => {
    response.writeHead(401).end(JSON.stringify([request.headers, request.url, 'hunter22']))
  })
  const to = subscriberAt(`http://user:hunter22@127.0.0.1:${server.port}/hook?token=sesame-open`)
  const answer = await outboundFor(t).request({ to, headers: { 'x-key': 'key-of-billing' }, body: BODY, secrets: ['key-of-billing'] })
  const shown = JSON.stringify(answer)
  for (const secret of ['hunter22', 'sesame-open', 'key-of-billing', Buffer.from('user:hunter22').toString('base64')]) {
    t.notOk(shown.includes(secret), secret)
  }
  t.match(answer, { status: 401, excerpt: /"x-key":"\*\*\*"/ })
})

t.test('an echoed path is not shown when a part of it came from outside', async t => {
  const server = await startHttp(t, (request, response) => { response.writeHead(404).end(`nothing at ${request.url}`) })
  const to = subscriberAt(`http://127.0.0.1:${server.port}/hooks/hush-48151623/in`, { shownUrl: 'http://127.0.0.1/hooks/$' + '{HOOK_TOKEN}/in' })
  t.match(await post(outboundFor(t), to), { status: 404, excerpt: 'nothing at /hooks/***/in' })
})

t.test('a URL that is none is said without showing it', async t => {
  for (const url of ['not a url with secret-x', 'ftp://secret-x@127.0.0.1/']) {
    const error = await t.rejects(post(outboundFor(t), subscriberAt(url)), { code: 'CONFIG_INVALID', message: /billing/ })
    t.notOk(JSON.stringify(error).includes('secret-x'))
  }
})

t.test('a header the protocol does not allow is a failure that does not show it', async t => {
  const server = await startHttp(t)
  const answer = await post(outboundFor(t), subscriberAt(server.url), { authorization: 'Bearer secret\r\nx: y' })
  t.match(answer, { failure: 'connection', error: 'the request cannot be sent: check the url and the headers of this subscriber' })
  t.equal(server.received.length, 0)
})

t.test('a changed or removed subscriber loses its connections', async t => {
  const server = await startHttp(t)
  const outbound = outboundFor(t)
  const before = subscriberAt(server.url + '/a')

  await post(outbound, before)
  outbound.keepOnly([{ ...before }])
  await post(outbound, { ...before })
  t.equal(server.connections(), 1, 'an equal entry keeps them')

  await post(outbound, { ...before, url: server.url + '/b' })
  t.equal(server.connections(), 2, 'another URL is another connection')

  outbound.keepOnly([])
  await server.quiet()
})

t.test('a subscriber that changes under a request still answers it, and is then left at once', async t => {
  const server = await startHttp(t, (_, response) => { outbound.keepOnly([]); response.end('done') })
  const outbound = outboundFor(t)
  t.match(await post(outbound, subscriberAt(server.url)), { status: 200, excerpt: 'done' })
  await server.quiet()
})
