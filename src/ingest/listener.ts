/**
 * The server under the public endpoint, with every limit on what a connection
 * may use: time, size and count.
 *
 * Promises that a header or body that trickles, stops or never arrives is cut
 * off within `headersTimeoutMs` or `requestTimeoutMs`, one `checkIntervalMs`
 * and a second: less than ten seconds in all with the defaults. Promises that
 * strangers cannot use up the connections. Node's own defaults keep neither
 * promise.
 */
import { createServer, STATUS_CODES, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { PROBLEM_TYPE, problemOf, RETRY_AFTER } from './answer.js'

export interface ListenerLimits {
  /** From the first byte of a request, or from the opening of the connection, to the end of its headers; also for a TLS handshake. */
  headersTimeoutMs: number
  /** The same, to the end of its body. */
  requestTimeoutMs: number
  /** How often these two are checked. */
  checkIntervalMs: number
  /** How long a connection may wait for its next request; longer than in usual proxies, so that they close first. */
  idleTimeoutMs: number
  /** How long a connection may be silent during a request. */
  silenceTimeoutMs: number
  /** Request line and headers. */
  maxHeaderBytes: number
  maxConnections: number
  /** How many of `maxConnections` may come from addresses that are neither allowed nor trusted proxies. */
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

/** How long a client that is cut off may take to read the reason. */
const LAST_WORD_MS = 1_000

/** PEM texts. */
export interface ListenerTls {
  cert: string
  key: string
}

export interface ListenerOptions {
  limits: ListenerLimits
  tls: ListenerTls | null
  /** Whether an address is allowed or a trusted proxy; asked for each connection. */
  isExpected: (remoteAddress: string | undefined) => boolean
}

/**
 * Makes the server; it does not listen.
 *
 * @param handler  for every request, also those that expect `100 Continue`
 */
export function createListener (handler: RequestListener, options: ListenerOptions): Server {
  const { limits, tls } = options
  const settings = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    requireHostHeader: false // nothing depends on it, and the address is checked first
  }
  const server = tls === null
    ? createServer(settings, handler)
    : createTlsServer({ ...settings, ...tls, handshakeTimeout: limits.headersTimeoutMs }, handler)
  server.setTimeout(limits.silenceTimeoutMs)
  server.maxConnections = limits.maxConnections
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection
  // By default Node silently drops the headers past the two thousandth,
  // but the last X-Forwarded-For is the one that counts. The app counts the headers.
  server.maxHeadersCount = 0
  server.on('connection', limitStrangers(limits.maxStrangers, options.isExpected))
  server.on('checkContinue', handler)
  server.on('checkExpectation', handler)
  return server
}

/** Closes the connection of a stranger beyond the limit. */
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

/** Ends connections that carried no HTTP, or not in time. */
export interface Ending {
  /** Whether this process stood still during the request, so that the client was not too slow. */
  stoodStill: () => boolean
  onUnparsable: (status: number, remoteAddress: string | undefined) => void
}

/**
 * Ends a connection that carried no HTTP, or not in time.
 *
 * An answer is sent only if this connection had none yet: a later one could
 * be taken for the answer to another request.
 */
export function endUnparsable (
  error: NodeJS.ErrnoException, socket: Socket, { stoodStill, onUnparsable }: Ending
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const status = statusOf(error, stoodStill)
  onUnparsable(status, socket.remoteAddress)
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const body = problemOf({ status })
  const retry = status === 503 ? `retry-after: ${RETRY_AFTER}\r\n` : ''
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
    `${retry}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  socket.destroySoon()
  // A client that does not read, or whose TLS handshake never ends, would keep the connection open.
  const timer = setTimeout(() => { socket.destroy() }, LAST_WORD_MS)
  socket.once('close', () => { clearTimeout(timer) })
}

function statusOf (error: NodeJS.ErrnoException, stoodStill: () => boolean): number {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return stoodStill() ? 503 : 408
  return error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
}
