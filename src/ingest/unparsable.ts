/**
 * What arrives that is no HTTP request, or not in time, and how its connection
 * ends.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Hint } from '../model/fact.js'
import { PROBLEM_TYPE, problemOf, RETRY_AFTER } from './answer.js'
import type { Unanswered } from './unanswered.js'

export interface Unparsable {
  /** What it would be answered: 400, 408, 431, or 503 when it is late because of us. */
  status: number
  reason: 'not-http' | 'headers'
  hint?: Hint | undefined
  /** Of the connection. */
  remoteAddress: string | undefined
  /** Whether anybody should hear of it: not of a client that said nothing, nor of one that went away. */
  isNews: boolean
}

export interface Ending {
  /** Whether this process stood still while the request was under way, so that it is not the client who was too slow. */
  stoodStill: () => boolean
  unanswered: Unanswered
  /** Reports it. @returns the status to answer with */
  judge: (unparsable: Unparsable) => number
}

/** As the parser tells it: with what it was reading. */
type ParserError = NodeJS.ErrnoException & { rawPacket?: unknown }

/** Ends a connection that did not carry HTTP, or not in time. */
export function endUnparsable (error: ParserError, socket: Socket, { stoodStill, unanswered, judge }: Ending): void {
  const { code = '' } = error
  if (code === 'ECONNRESET' || unanswered.isEnding(socket)) return
  const status = judge({
    status: statusOf(error, stoodStill),
    reason: code === 'HPE_HEADER_OVERFLOW' ? 'headers' : 'not-http',
    hint: hintOf(error),
    remoteAddress: socket.remoteAddress,
    isNews: (socket.bytesRead > 0 || code.startsWith('ERR_SSL_')) && code !== 'HPE_INVALID_EOF_STATE'
  })
  unanswered.end(socket, answerOf(status))
}

function answerOf (status: number): string {
  const body = problemOf({ status })
  const retry = status === 503 ? `retry-after: ${RETRY_AFTER}\r\n` : ''
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
    `${retry}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** First bytes by which other protocols are known; of the PROXY protocol, both versions. */
const OTHER_PROTOCOLS: ReadonlyArray<readonly [Hint, Buffer]> = [
  ['tls', Buffer.from([0x16, 0x03])],
  ['proxy-protocol', Buffer.from('PROXY ')],
  ['proxy-protocol', Buffer.from('\r\n\r\n\0\r\nQUIT\n')]
]

function hintOf ({ code, message, rawPacket }: ParserError): Hint | undefined {
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'no-tls'
  if (message.includes('Content-Length') && message.includes('Transfer-Encoding')) return 'two-lengths' // the codes are those of other faults, too
  if (!Buffer.isBuffer(rawPacket)) return undefined
  return OTHER_PROTOCOLS.find(([, first]) => rawPacket.subarray(0, first.length).equals(first))?.[0]
}

function statusOf (error: NodeJS.ErrnoException, stoodStill: () => boolean): number {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return stoodStill() ? 503 : 408
  return error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
}
