/**
 * Connections that are kept between requests, and closed by the other side, or
 * by us, at every moment. What was sent is never sent again behind the
 * caller's back; what was certainly not sent goes out on a new connection.
 */
import { once } from 'node:events'
import type { LookupAddress } from 'node:dns'
import { createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from '../support/tap.js'
import type { Subscriber } from '../../src/model/subscriber.js'
import { exchange } from '../../src/outbound/exchange.js'
import { MAX_CONNECTION_AGE_MS } from '../../src/outbound/connection.js'
import { createPool } from '../../src/outbound/pool.js'
import { createLookup, type Question } from '../../src/outbound/lookup.js'
import { createOutbound, type Answer, type Outbound } from '../../src/outbound/request.js'
import { onHead, startHttp, startRaw, subscriberAt, type Closing, type TestServer } from './servers.js'

const BODY = Buffer.from('{"taskId":"t1","status":1}')
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n'

function outboundFor (t: Closing, question?: Question): Outbound {
  const outbound = createOutbound(question)
  t.teardown(() => { outbound.close() })
  return outbound
}

async function post (outbound: Outbound, to: Subscriber, body = BODY): Promise<Answer> {
  return await outbound.request({ to, headers: {}, body })
}

interface Keeping extends TestServer {
  /** Those that were ever connected, in order. */
  sockets: Socket[]
  /** How many requests have come. */
  requests (): number
}

/** Answers 204 and keeps the connection; the request with this number, from 1, is answered otherwise. */
async function startKeeping (t: Closing, special: { at: number, does: (socket: Socket) => void } = { at: 0, does () {} }): Promise<Keeping> {
  const sockets: Socket[] = []
  let requests = 0
  const server = await startRaw(t, socket => {
    sockets.push(socket)
    onHead(socket, () => {
      requests++
      if (requests === special.at) special.does(socket)
      else socket.write(NO_CONTENT)
    })
  })
  return { ...server, sockets, requests: () => requests }
}

/** Closed before anything was written: the request goes out on a new connection, once. */
const BEFORE: ReadonlyArray<[says: string, close: (socket: Socket) => Promise<void> | void]> = [
  ['ended while it was idle', async socket => { socket.end(); await once(socket, 'close') }],
  ['reset while it was idle', async socket => { socket.resetAndDestroy(); await once(socket, 'close') }],
  ['ended as the request begins', socket => { socket.end() }],
  ['reset as the request begins', socket => { socket.resetAndDestroy() }],
  ['used for an answer nobody asked for as the request begins', socket => { socket.write('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n') }],
  ['used for garbage as the request begins', socket => { socket.write('garbage\r\n\r\n') }]
]
for (const [says, close] of BEFORE) {
  t.test(`a kept connection that is ${says} costs nothing`, async t => {
    const server = await startKeeping(t)
    const outbound = outboundFor(t)
    const to = subscriberAt(server.url)
    t.match(await post(outbound, to), { status: 204 })
    await turn() // the connection is idle, and what it is told now is read before the next request is written
    await close(server.sockets[0]!)
    t.match(await post(outbound, to), { status: 204 })
    t.equal(server.requests(), 2, 'nothing was sent twice')
    t.equal(server.connections(), 2)
  })
}

t.test('when all kept connections are reset at once, every request goes out on a new one', async t => {
  const server = await startKeeping(t)
  const outbound = outboundFor(t)
  const to = subscriberAt(server.url, { concurrency: 8 })
  const round = async (): Promise<Answer[]> => await Promise.all(Array.from({ length: 8 }, async () => await post(outbound, to)))
  await round()
  await turn()
  for (const socket of server.sockets) socket.resetAndDestroy()
  for (const answer of await round()) t.match(answer, { status: 204 })
  t.equal(server.requests(), 16)
})

t.test('a connection that cannot be made anew is a failed one', async t => {
  const server = createServer(socket => { onHead(socket, () => socket.write(NO_CONTENT)) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connected = once(server, 'connection') as Promise<[Socket]>
  const outbound = outboundFor(t)
  const to = subscriberAt(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
  t.match(await post(outbound, to), { status: 204 })
  const [socket] = await connected
  await turn()
  server.close()
  socket.resetAndDestroy()
  await once(server, 'close')
  t.match(await post(outbound, to), { failure: 'connection', error: /^ECONNREFUSED$/ })
})

/** Closed after the request was written: nobody knows whether it was read, so it is a failed attempt, which says where. */
const AFTER: ReadonlyArray<[says: string, does: (socket: Socket) => void, error: string]> = [
  ['reset before any byte of an answer', socket => { socket.resetAndDestroy() }, 'ECONNRESET, on a kept connection'],
  ['ended before any byte of an answer', socket => { socket.end() }, 'connection closed before the answer was complete, on a kept connection'],
  ['ended in the middle of an answer', socket => { socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf') }, 'connection closed before the answer was complete, after status 200']
]
for (const [says, does, error] of AFTER) {
  t.test(`a kept connection that is ${says} is a failed one, and the next request gets a new one`, async t => {
    const server = await startKeeping(t, { at: 2, does })
    const outbound = outboundFor(t)
    const to = subscriberAt(server.url)
    t.match(await post(outbound, to), { status: 204 })
    const answer = await post(outbound, to)
    t.strictSame({ ...answer, latencyMs: 0 }, { failure: 'connection', error, latencyMs: 0 })
    t.match(await post(outbound, to), { status: 204 })
    t.equal(server.requests(), 3, 'nothing was sent twice behind our back')
    t.equal(server.connections(), 2)
  })
}

t.test('who gives up before anything was written does not send after all', async t => {
  const server = await startKeeping(t)
  const outbound = outboundFor(t)
  const to = subscriberAt(server.url)
  await post(outbound, to)
  await turn()
  const stop = new AbortController()
  const answer = outbound.request({ to, headers: {}, body: BODY, signal: stop.signal })
  stop.abort()
  t.match(await answer, { failure: 'aborted' })
  await server.quiet()
  t.equal(server.requests(), 1)
})

t.test('a request that nobody may send costs one kept connection, not all', async t => {
  const server = await startKeeping(t)
  const outbound = outboundFor(t)
  const to = subscriberAt(server.url)
  await Promise.all([post(outbound, to), post(outbound, to)])
  t.match(await outbound.request({ to, headers: { 'x-bad': 'a\r\nb' }, body: BODY }), { error: /^the request cannot be sent/ })
  await post(outbound, to)
  t.equal(server.connections(), 2)
})

t.test('a server that answers before it has read all is not asked again on that connection', async t => {
  const server = await startRaw(t, socket => {
    socket.pause()
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
  })
  const outbound = outboundFor(t)
  const to = subscriberAt(server.url)
  t.match(await post(outbound, to, Buffer.alloc(32 * 1024 * 1024)), { status: 200 })
  t.match(await post(outbound, to), { status: 200 })
  t.equal(server.connections(), 2)
})

t.test('who gives up on a request withdraws what the other side has not taken yet', async t => {
  let taken = 0
  const server = await startRaw(t, socket => {
    socket.on('data', (chunk: Buffer) => { taken += chunk.length })
    socket.pause()
  })
  t.match(await post(outboundFor(t), subscriberAt(server.url, { timeoutMs: 200 }), Buffer.alloc(32 * 1024 * 1024)), { failure: 'timeout' })
  await server.quiet()
  t.ok(taken < 1024 * 1024, `of 32 MB it found ${taken} bytes; the kernel would have kept several MB for it`)
})

t.test('a connection is used for a minute and then made anew', async t => {
  let now = 0
  const server = await startKeeping(t)
  const pool = createPool({ origin: server.url, destination: subscriberAt(server.url, { concurrency: 1 }), lookup: createLookup(), clock: () => now })
  t.teardown(() => { pool.retire() })
  const ask = async (): Promise<Answer> => await exchange(pool, { path: '/', headers: {}, body: BODY, timeoutMs: 5_000, secrets: [] }).answer
  await ask()
  now = MAX_CONNECTION_AGE_MS - 1
  await ask()
  t.equal(server.connections(), 1)
  now = MAX_CONNECTION_AGE_MS
  await ask()
  t.equal(server.connections(), 1, 'after that answer it is old')
  await ask()
  t.equal(server.connections(), 2)
  now += MAX_CONNECTION_AGE_MS - 1
  await ask()
  t.equal(server.connections(), 2, 'the new one has a minute of its own')
})

/** Says where a name is now; remembers how often it was asked. */
function moving (at: { address: string }): Question & { asked: number } {
  const question = Object.assign<Question, { asked: number }>((_, __, answer) => {
    question.asked++
    setImmediate(() => { answer(null, [{ address: at.address, family: 4 } as LookupAddress]) })
  }, { asked: 0 })
  return question
}

t.test('a name that resolves elsewhere is followed as soon as the connection is lost', async t => {
  const before = await startHttp(t, (_, response) => { response.end('before') })
  const after = createServer(socket => { onHead(socket, () => socket.end('HTTP/1.1 200 OK\r\n\r\nafter')) }).listen(before.port, '127.0.0.2')
  await once(after, 'listening')
  t.teardown(() => { after.close() })
  const at = { address: '127.0.0.1' }
  const question = moving(at)
  const outbound = outboundFor(t, question)
  const to = subscriberAt(`http://moves.example:${before.port}`)
  t.match(await post(outbound, to), { excerpt: 'before' })
  at.address = '127.0.0.2'
  t.match(await post(outbound, to), { excerpt: 'before' }, 'a good connection is kept')
  t.equal(question.asked, 1)
  outbound.keepOnly([])
  t.match(await post(outbound, to), { excerpt: 'after' })
  t.equal(question.asked, 2)
})

t.test('of several addresses one that answers is enough', async t => {
  const server = await startHttp(t)
  const question: Question = (_, __, answer) => {
    setImmediate(() => { answer(null, ['127.0.0.3', '127.0.0.1'].map(address => ({ address, family: 4 }) as LookupAddress)) })
  }
  t.match(await post(outboundFor(t, question), subscriberAt(`http://many.example:${server.port}`)), { status: 204 })
})

/** What a resolver may say, or not. */
const RESOLVERS: ReadonlyArray<[says: string, question: Question, means: object]> = [
  ['does not know the name', failing('ENOTFOUND'), { failure: 'connection', error: 'ENOTFOUND' }],
  ['is away', failing('EAI_AGAIN'), { failure: 'connection', error: 'EAI_AGAIN' }],
  ['hangs', () => {}, { failure: 'timeout', error: 'no complete answer within 200 ms: the name was not resolved' }]
]
for (const [says, question, means] of RESOLVERS) {
  t.test(`a resolver that ${says} is a failed attempt, and the next one asks again`, async t => {
    const server = await startHttp(t)
    let broken = true
    const outbound = outboundFor(t, (...asked) => {
      if (broken) question(...asked)
      else asked[2](null, [{ address: '127.0.0.1', family: 4 } as LookupAddress])
    })
    const to = subscriberAt(`http://name.example:${server.port}`, { timeoutMs: 200 })
    t.match(await post(outbound, to), means)
    if (says === 'hangs') return
    broken = false
    t.match(await post(outbound, { ...to, timeoutMs: 5_000 }), { status: 204 })
  })
}

function failing (code: string): Question {
  return (_, __, answer) => { setImmediate(() => { answer(Object.assign(new Error(`getaddrinfo ${code} secret.example`), { code }), []) }) }
}
