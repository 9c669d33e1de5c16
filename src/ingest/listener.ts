/**
 * The server under the public endpoint, and every limit on what a connection
 * may take: time, size and count.
 *
 * Promises that a header or a body that trickles, stops or never comes is cut
 * off within `headersTimeoutMs` or `requestTimeoutMs`, one `checkIntervalMs`
 * and a second, less than ten seconds in all with the defaults, and that
 * strangers cannot use up the connections. Node's own defaults keep neither
 * promise.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Unanswered } from './unanswered.js'

export interface ListenerLimits {
  /** From the first byte of a request, or the opening of the connection, to the end of its headers; also for a TLS handshake. */
  headersTimeoutMs: number
  /** The same to the end of its body. */
  requestTimeoutMs: number
  /** How often the two above are checked. */
  checkIntervalMs: number
  /** How long a connection may wait for its next request; longer than usual proxies keep theirs, so that they close first. */
  idleTimeoutMs: number
  /** How long a connection may be silent while a request is under way. */
  silenceTimeoutMs: number
  /** Request line and headers. */
  maxHeaderBytes: number
  maxConnections: number
  /** Of `maxConnections`, those that addresses may hold which are neither allowed nor trusted proxies. */
  maxStrangers: number
  maxRequestsPerConnection: number
}

export const LISTENER_LIMITS: Readonly<ListenerLimits> = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 8_000,
  checkIntervalMs: 500,
  idleTimeoutMs: 75_000,
  silenceTimeoutMs: 9_500,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 4_096,
  maxStrangers: 512,
  maxRequestsPerConnection: 10_000
}

/** PEM texts. */
export interface ListenerTls {
  cert: string
  key: string
}

export interface ListenerOptions {
  limits: ListenerLimits
  tls: ListenerTls | null
  unanswered: Unanswered
  /** Whether an address is allowed or a trusted proxy; asked at each connection. */
  isExpected: (remoteAddress: string | undefined) => boolean
}

/**
 * Makes the server; it does not listen.
 *
 * @param handle  for every request, also those that expect `100 Continue`
 */
export function createListener (handle: RequestListener, options: ListenerOptions): Server {
  const { limits, tls, unanswered } = options
  const handler = unanswered.watch(handle)
  const settings = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    requireHostHeader: false // the address is asked first
  }
  const server = tls === null
    ? createServer(settings, handler)
    : createTlsServer({ ...settings, ...tls, allowHalfOpen: true, handshakeTimeout: limits.headersTimeoutMs }, handler)
  server.setTimeout(limits.silenceTimeoutMs)
  server.maxConnections = limits.maxConnections
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection
  // Whoever has sent all it wanted may say so, and still waits for its answer.
  Object.assign(server, { httpAllowHalfOpen: true })
  // By default Node drops the headers past the two thousandth without a word,
  // and the last X-Forwarded-For is the one that counts. The app counts them.
  server.maxHeadersCount = 0
  server.on('connection', limitStrangers(limits.maxStrangers, options.isExpected))
  server.on('checkContinue', handler)
  server.on('checkExpectation', handler)
  server.on('connect', (_request: IncomingMessage, socket: Socket) => { // this is no proxy
    socket.resume()
    unanswered.end(socket)
  })
  return server
}

/** Closes the connection of one stranger too many at once. */
function limitStrangers (max: number, isExpected: ListenerOptions['isExpected']): (socket: Socket) => void {
  let strangers = 0
  return socket => {
    if (isExpected(socket.remoteAddress)) return
    if (strangers >= max) {
      socket.destroy()
      return
    }
    strangers++
    socket.once('close', () => { strangers-- })
  }
}
