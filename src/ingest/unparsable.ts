/**
 * How a connection ends on which something arrived that was no HTTP request, or
 * not in time.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { PROBLEM_TYPE, problemOf, RETRY_AFTER } from './answer.js'

/** How long a client that is sent away may take to read why. */
const LAST_WORD_MS = 1_000

/** What ends connections that did not carry HTTP, or not in time. */
export interface Ending {
  /** Whether this process stood still while the request was under way, so that it is not the client who was too slow. */
  stoodStill: () => boolean
  onUnparsable: (status: number, remoteAddress: string | undefined) => void
}

/**
 * Ends a connection that did not carry HTTP, or not in time.
 *
 * The answer is sent only when none was yet on this connection: later, it could
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
  // A client that does not read, or whose TLS handshake never ends, would keep it from going.
  const timer = setTimeout(() => { socket.destroy() }, LAST_WORD_MS)
  socket.once('close', () => { clearTimeout(timer) })
}

function statusOf (error: NodeJS.ErrnoException, stoodStill: () => boolean): number {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return stoodStill() ? 503 : 408
  return error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
}
