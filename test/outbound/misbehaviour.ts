/**
 * Every way we know in which a subscriber can misbehave during one request:
 * one row each, with what the attempt must say. Played by real sockets.
 *
 * `misbehaving.test.ts` asks each row once, `nothing-leaks.test.ts` over and
 * over, and the journey that is named for it through a whole gateway.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { makeCertificates, type Certificates } from '../support/certificates.js'
import { onHead, startRaw, type Closing, type TestServer } from './servers.js'

/** What every row is asked with, so that a test can look for it where it must not be. */
export const SECRETS = { header: 'token-of-billing', query: 'sesame-open' }

/** For the rows that are to run into it, milliseconds. */
export const SHORT_MS = 400

/** When one answers who is too late for everybody, milliseconds. */
const LATE_MS = 4_000

export interface Row {
  says: string
  does: (socket: Socket) => void
  /** Whose certificate the server shows; without one it speaks plain TCP. */
  tls?: Exclude<keyof Certificates, 'ca' | 'strangerCa'>
  /** We speak TLS to it, although it does not. */
  https?: true
  /** A server that is not `does` on a port of its own. */
  place?: (t: Closing) => Promise<Place>
  /** Bytes that we send, when it needs many. */
  size?: number
  /** It costs both sides a lot: ask it less often. */
  heavy?: true
  /** It runs into the timeout: give it a short one. */
  slow?: true
  means: Means
}

/** An answer with this status, or an error in its place; `delivered` follows from the status. */
export type Means =
  | { status: number, excerpt?: string | RegExp | null }
  | { failure: 'timeout' | 'connection', error: string | RegExp }

export interface Place {
  url: string
  /** How many of our sockets it holds open; absent when it cannot tell. */
  server?: TestServer
}

/** More than two kernels keep for a reader who does not read. */
const LARGE = 8 * 1024 * 1024

const CLOSED = 'connection closed before the answer was complete'
const NOT_HTTP = 'the answer is not HTTP/1.1'
const WRONG_LENGTH = `${CLOSED}, or its content-length is wrong`
const TOO_LARGE = 'the headers of the answer are too large'
const OK = 'HTTP/1.1 200 OK\r\n'
const EMPTY = 'content-length: 0\r\n\r\n'

const failed = (error: string | RegExp): Means => ({ failure: 'connection', error })
const tooSlow = (more = ''): Means => ({ failure: 'timeout', error: `no complete answer within ${SHORT_MS} ms${more}` })
const answered = (status: number, excerpt?: string | RegExp | null): Means => ({ status, ...excerpt === undefined ? {} : { excerpt } })

/** Answers each request with these bytes, and then does something to the socket. */
function replies (text: string | Buffer, then: (socket: Socket) => void = () => {}): (socket: Socket) => void {
  return socket => onHead(socket, () => {
    socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, () => { then(socket) })
  })
}

const close = (socket: Socket): void => { socket.end() }

/** Lets what was written leave first. */
const reset = (socket: Socket): void => { setImmediate(() => { setImmediate(() => { socket.resetAndDestroy() }) }) }

/** Answers with a beginning, and then the same for as long as anybody reads. */
function withoutEnd (begin: string, more: string): (socket: Socket) => void {
  return socket => onHead(socket, () => {
    const chunk = more.repeat(Math.ceil(4096 / more.length))
    const write = (): void => { while (!socket.destroyed && socket.write(chunk, 'latin1')); }
    socket.on('drain', write)
    socket.write(begin)
    write()
  })
}

/** Answers with a beginning, and then byte by byte, the last one over and over. */
function drips (begin: string, rest: string): (socket: Socket) => void {
  return socket => onHead(socket, () => {
    let at = 0
    socket.write(begin)
    const timer = setInterval(() => { socket.write(rest.charAt(Math.min(at++, rest.length - 1))) }, 30)
    socket.on('close', () => { clearInterval(timer) })
  })
}

/** A port whose queue of connections is full, so that no connection is ever made. */
async function placeNobodyAccepts (t: Closing): Promise<Place> {
  const stopped = spawn(process.execPath, ['-e', `
    const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      process.stdout.write(server.address().port + '\\n', () => process.kill(process.pid, 'SIGSTOP'))
    })`], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = await once(createInterface(stopped.stdout), 'line') as [string]
  const fill = Array.from({ length: 8 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
  t.teardown(async () => {
    for (const socket of fill) socket.destroy()
    stopped.kill('SIGKILL')
    if (stopped.exitCode === null && stopped.signalCode === null) await once(stopped, 'exit')
  })
  // Two at most are taken by the queue; after them the kernel answers nobody.
  await Promise.race(fill.map(async socket => { await once(socket, 'connect') }))
  return { url: `http://127.0.0.1:${port}` }
}

/** A port that was free a moment ago. */
async function placeNobodyListens (): Promise<Place> {
  const closings: Array<() => unknown> = []
  const server = await startRaw({ teardown: end => { closings.push(end) } }, () => {})
  for (const end of closings) await end()
  return { url: server.url }
}

const CONNECTIONS: Row[] = [
  { says: 'refuses the connection', does () {}, place: placeNobodyListens, means: failed('ECONNREFUSED') },
  { says: 'never accepts the connection', does () {}, place: placeNobodyAccepts, slow: true, means: tooSlow(': no connection was made') },
  { says: 'closes the connection at once', does: close, means: failed(/^(ECONNRESET|EPIPE|connection closed before the answer was complete)$/) },
  { says: 'resets the connection at once', does: socket => { socket.resetAndDestroy() }, means: failed(/^(ECONNRESET|EPIPE|connection closed before the answer was complete)$/) },
  { says: 'resets when it has the request', does: socket => onHead(socket, () => { socket.resetAndDestroy() }), means: failed('ECONNRESET') },
  { says: 'closes when it has the request', does: socket => onHead(socket, () => { socket.end() }), means: failed(CLOSED) },
  { says: 'closes in the middle of the headers', does: replies(OK + 'content-le', close), means: failed(CLOSED) },
  { says: 'resets in the middle of the headers', does: replies(OK + 'content-le', reset), means: failed('ECONNRESET') },
  { says: 'closes in the middle of the body', does: replies(OK + 'content-length: 100\r\n\r\nhalf', close), means: failed(`${CLOSED}, after status 200`) },
  { says: 'resets in the middle of the body', does: replies(OK + 'content-length: 100\r\n\r\nhalf', reset), means: failed('ECONNRESET, after status 200') },
  { says: 'closes in the middle of a chunk', does: replies(OK + 'transfer-encoding: chunked\r\n\r\n5\r\nhal', close), means: failed(`${CLOSED}, after status 200`) }
]

const SLOW: Row[] = [
  { says: 'never answers', does () {}, slow: true, means: tooSlow() },
  {
    says: 'answers after the timeout',
    slow: true,
    does: socket => onHead(socket, () => {
      const timer = setTimeout(() => { socket.write(OK + EMPTY) }, LATE_MS)
      socket.on('close', () => { clearTimeout(timer) })
    }),
    means: tooSlow()
  },
  { says: 'sends its status a byte at a time', does: drips('H', 'TTP/1.1 200 OK'), slow: true, means: tooSlow() },
  { says: 'sends a header a byte at a time', does: drips(OK + 'x-slow: ', 'a'), slow: true, means: tooSlow() },
  { says: 'sends its body a byte at a time', does: drips(OK + 'content-length: 999999\r\n\r\n', 'a'), slow: true, means: tooSlow(', after status 200') },
  { says: 'sends a body without end', does: withoutEnd(OK + 'content-length: 99999999999\r\n\r\n', 'a'), means: answered(200, 'a'.repeat(1024)) },
  { says: 'sends chunks without end', does: withoutEnd(OK + 'transfer-encoding: chunked\r\n\r\n', '5\r\naaaaa\r\n'), means: answered(200, 'a'.repeat(1024)) },
  { says: 'sends a header without end', does: withoutEnd(OK + 'x: ', 'a'), means: failed(TOO_LARGE) },
  { says: 'sends headers without end', does: withoutEnd(OK, 'x: a\r\n'), heavy: true, means: failed(TOO_LARGE) },
  { says: 'sends a status line without end', does: withoutEnd('HTTP/1.1 200 ', 'a'), slow: true, means: tooSlow() },
  { says: 'sends 103 without end', does: withoutEnd('', 'HTTP/1.1 103 Early Hints\r\n\r\n'), slow: true, means: tooSlow() },
  { says: 'sends a 103 without end', does: withoutEnd('HTTP/1.1 103 Early Hints\r\n', 'x: a\r\n'), heavy: true, means: failed(TOO_LARGE) },
  { says: 'sends trailers without end', does: withoutEnd(OK + 'transfer-encoding: chunked\r\n\r\n0\r\n', 'x: a\r\n'), heavy: true, means: failed(`${TOO_LARGE}, after status 200`) },
  { says: 'never reads the body', does: socket => { socket.pause() }, size: LARGE, heavy: true, slow: true, means: tooSlow() },
  {
    says: 'answers before it has read the body, and reads no more',
    size: LARGE,
    heavy: true,
    does: socket => { socket.pause(); socket.write('HTTP/1.1 413 Too Large\r\n' + EMPTY) },
    means: answered(413)
  },
  {
    says: 'answers before it has read the body, and closes',
    size: LARGE,
    heavy: true,
    does: socket => { socket.pause(); socket.end('HTTP/1.1 413 Too Large\r\nconnection: close\r\n' + EMPTY) },
    means: answered(413)
  }
]

const LENGTHS: Row[] = [
  { says: 'announces more than it sends', does: replies(OK + 'content-length: 20\r\n\r\nhello'), slow: true, means: tooSlow(', after status 200') },
  { says: 'announces more than it sends, and closes', does: replies(OK + 'connection: close\r\ncontent-length: 20\r\n\r\nhello', close), means: failed(`${WRONG_LENGTH}, after status 200`) },
  { says: 'announces less than it sends', does: replies(OK + 'content-length: 2\r\n\r\nhello'), means: answered(200, 'he') },
  { says: 'announces two lengths', does: replies(OK + 'content-length: 5\r\ncontent-length: 6\r\n\r\nhello'), means: failed(WRONG_LENGTH) },
  { says: 'announces a negative length', does: replies(OK + 'content-length: -5\r\n\r\nhello'), means: failed(NOT_HTTP) },
  { says: 'announces a length that is none', does: replies(OK + 'content-length: five\r\n\r\nhello'), means: failed(NOT_HTTP) },
  { says: 'announces a length beyond all numbers', does: replies(OK + `content-length: ${'9'.repeat(30)}\r\n\r\nhello`), means: failed(WRONG_LENGTH) },
  { says: 'announces a length and chunks', does: replies(OK + 'content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'), means: failed(WRONG_LENGTH) },
  { says: 'announces nothing, in HTTP/1.0', does: replies('HTTP/1.0 200 OK\r\n\r\nhello', close), means: answered(200, 'hello') },
  { says: 'announces nothing, and resets at the end', does: replies('HTTP/1.0 200 OK\r\n\r\nhello', reset), means: answered(200, 'hello') },
  { says: 'announces nothing, and never closes', does: replies('HTTP/1.0 200 OK\r\n\r\nhello'), slow: true, means: tooSlow(', after status 200') },
  { says: 'sends chunks that are none', does: replies(OK + 'transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n'), means: failed(`${NOT_HTTP}, after status 200`) },
  { says: 'sends a chunk beyond all numbers', does: replies(OK + `transfer-encoding: chunked\r\n\r\n${'f'.repeat(40)}\r\nhello`), means: failed(`${NOT_HTTP}, after status 200`) },
  { says: 'sends trailers', does: replies(OK + 'transfer-encoding: chunked\r\ntrailer: x\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n'), means: answered(200, 'hello') },
  { says: 'sends garbage and calls it gzip', does: replies(OK + 'content-encoding: gzip\r\ncontent-length: 7\r\n\r\ngarbage'), means: answered(200, 'garbage') },
  { says: 'sends a body with a 204', does: replies('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello'), means: answered(204, null) },
  { says: 'sends chunks with a 204', does: replies('HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'), means: answered(204, null) },
  { says: 'sends a body with a 204 that announces none', does: replies('HTTP/1.1 204 No Content\r\n\r\nhello'), means: answered(204, null) },
  { says: 'announces a body with a 304', does: replies('HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n'), means: answered(304, null) }
]

const STATUSES: Row[] = [
  { says: 'sends 100 although nobody asked', does: replies('HTTP/1.1 100 Continue\r\n\r\n' + OK + EMPTY), means: answered(200, null) },
  { says: 'sends several 1xx, some of them in pieces', does: inPieces('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n' + OK + EMPTY), means: answered(200, null) },
  { says: 'sends 103 and closes', does: replies('HTTP/1.1 103 Early Hints\r\n\r\n', close), means: failed(CLOSED) },
  { says: 'changes the protocol', does: replies('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'), means: failed('answered 101, although no other protocol was requested') },
  { says: 'changes the protocol and does not say to which', does: replies('HTTP/1.1 101 Switching Protocols\r\n\r\n'), means: failed(NOT_HTTP) },
  { says: 'offers another protocol', does: replies(OK + 'connection: upgrade\r\nupgrade: h2c\r\n' + EMPTY), means: answered(200) },
  { says: 'redirects', does: replies('HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n' + EMPTY), means: answered(307) },
  { says: 'answers a status below 100', does: replies('HTTP/1.1 099 Low\r\n' + EMPTY), means: failed(NOT_HTTP) },
  { says: 'answers a status of four digits', does: replies('HTTP/1.1 1000 High\r\n' + EMPTY), means: failed(NOT_HTTP) },
  { says: 'answers a status nobody knows', does: replies('HTTP/1.1 999 Odd\r\n' + EMPTY), means: answered(999) },
  { says: 'answers twice', does: replies('HTTP/1.1 500 No\r\n' + EMPTY + OK + EMPTY), means: answered(500) }
]

const GARBAGE: Row[] = [
  { says: 'speaks SSH', does: replies('SSH-2.0-OpenSSH_9.2\r\n'), means: failed(NOT_HTTP) },
  { says: 'speaks HTTP/2', does: replies(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])), means: failed(NOT_HTTP) },
  { says: 'sends the preface of HTTP/2', does: replies('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), means: failed(NOT_HTTP) },
  { says: 'speaks TLS where we do not', does: replies(Buffer.from([0x15, 3, 1, 0, 2, 2, 70]), close), means: failed(NOT_HTTP) },
  { says: 'sends a page without a head', does: replies('<html>hello</html>', close), means: failed(NOT_HTTP) },
  { says: 'sends headers that are too large', does: replies(OK + `x: ${'a'.repeat(1000)}\r\n`.repeat(30) + EMPTY), means: failed(TOO_LARGE) },
  { says: 'sends a NUL in a header', does: replies(OK + 'x: a\0b\r\n' + EMPTY), means: failed(NOT_HTTP) },
  { says: 'ends its lines with LF alone', does: replies('HTTP/1.1 200 OK\nx: a\ncontent-length: 0\n\n'), means: failed(NOT_HTTP) },
  { says: 'names its headers like the parts of every object', does: replies(OK + '__proto__: a\r\n__proto__: b\r\nconstructor: c\r\ntoString: d\r\n' + EMPTY), means: answered(200) },
  { says: 'keeps connections for a time that is none', does: replies(OK + 'keep-alive: timeout=-1, max=no\r\n' + EMPTY), means: answered(200) },
  { says: 'keeps connections for ever', does: replies(OK + `keep-alive: timeout=${'9'.repeat(30)}\r\n` + EMPTY), means: answered(200) },
  { says: 'sends back all it got, as its answer', does: socket => onHead(socket, head => { socket.end('HTTP/1.0 500 No\r\n\r\n' + head) }), means: answered(500, /authorization: \*\*\*/) },
  {
    says: 'sends back all it got, as its status and in a header',
    does: socket => onHead(socket, head => {
      const line = head.replaceAll(/[\r\n]+/g, ' ')
      socket.end(`HTTP/1.1 500 ${line}\r\nx: ${line}\r\nconnection: close\r\n` + EMPTY)
    }),
    means: answered(500)
  },
  { says: 'sends back all it got, as it is', does: socket => onHead(socket, head => { socket.end(head) }), means: failed(NOT_HTTP) }
]

const HANDSHAKES: Row[] = [
  { says: 'has a certificate that is over', does: replies(OK + EMPTY), tls: 'expired', means: failed('CERT_HAS_EXPIRED') },
  { says: 'has the certificate of another', does: replies(OK + EMPTY), tls: 'otherName', means: failed('ERR_TLS_CERT_ALTNAME_INVALID') },
  { says: 'never ends the handshake', does () {}, https: true, slow: true, means: tooSlow(': the TLS handshake did not end') },
  { says: 'closes in the handshake', does: socket => { socket.once('data', () => { socket.end() }) }, https: true, means: failed(/^(ECONNRESET|connection closed before the answer was complete)$/) },
  { says: 'resets in the handshake', does: socket => { socket.once('data', () => { socket.resetAndDestroy() }) }, https: true, means: failed('ECONNRESET') },
  { says: 'answers the handshake in plain HTTP', does: socket => { socket.once('data', () => { socket.write('HTTP/1.1 400 Bad Request\r\n\r\n') }) }, https: true, means: failed(/^(EPROTO|ERR_SSL_[A-Z_]+)$/) },
  { says: 'answers over TLS', does: replies(OK + EMPTY), tls: 'server', means: answered(200) },
  { says: 'never answers over TLS', does () {}, tls: 'server', slow: true, means: tooSlow() },
  { says: 'closes in the middle of an answer over TLS', does: replies(OK + 'content-length: 100\r\n\r\nhalf', close), tls: 'server', means: failed(`${CLOSED}, after status 200`) },
  { says: 'resets when it has the request over TLS', does: socket => onHead(socket, () => { socket.destroy() }), tls: 'server', means: failed(/^(ECONNRESET|connection closed before the answer was complete)$/) }
]

/** All of them. */
export const ROWS: readonly Row[] = [...CONNECTIONS, ...SLOW, ...LENGTHS, ...STATUSES, ...GARBAGE, ...HANDSHAKES]

const certificates = makeCertificates()

/** What the rows with TLS are to be trusted with. */
export const CA = certificates.ca

/** Starts the subscriber of a row. */
export async function place (t: Closing, { does, tls, https, place }: Row): Promise<Place> {
  if (place !== undefined) return await place(t)
  const server = await startRaw(t, does, tls === undefined ? undefined : certificates[tls])
  return { url: https === true ? server.url.replace('http:', 'https:') : server.url, server }
}

/** Each byte an own packet, as far as the kernel lets us. */
function inPieces (text: string): (socket: Socket) => void {
  return socket => {
    socket.setNoDelay(true)
    onHead(socket, () => {
      const send = (at: number): void => { if (at < text.length) socket.write(text.charAt(at), () => { setImmediate(send, at + 1) }) }
      send(0)
    })
  }
}
