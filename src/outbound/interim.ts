/**
 * Removes interim answers (1xx) from the bytes that the HTTP client reads.
 *
 * A client must skip them, requested or not (RFC 9110 §15.2). undici takes 100
 * (Continue) for an error and closes the connection, so that a delivery to a
 * server that sends one could never succeed. 101 is not removed: it ends the use
 * of HTTP, which is an error.
 *
 * Holds back at most 16 kB. Checks one byte where an answer begins.
 */
import type { Socket } from 'node:net'

/** The position of the status, and its first digit in an interim answer. */
const STATUS_AT = 'HTTP/1.1 '.length
const ONE = '1'.charCodeAt(0)

/** The start of such a head, and a complete one. */
const SHAPE = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r]/
const SAMPLE = 'HTTP/1.1 103 '

const END = Buffer.from('\r\n\r\n')

/** A larger head is passed on unchanged: the client has its own limit. */
const MAX_HEAD_BYTES = 16 * 1024

/**
 * From now on `socket.read` removes interim answers.
 *
 * @param socket  read in paused mode, as undici does
 * @returns       to be called whenever the next bytes begin an answer
 */
export function leaveOutInterim (socket: Socket): () => void {
  const read = socket.read.bind(socket)
  let atBegin = false
  let held: Buffer | null = null

  socket.read = size => {
    const chunk = read(size) as Buffer | null
    if (!atBegin || chunk === null) return chunk
    const rest = afterInterim(held === null ? chunk : Buffer.concat([held, chunk]))
    atBegin = mayBeInterim(rest) && rest.length <= MAX_HEAD_BYTES
    held = atBegin ? rest : null
    return atBegin ? null : rest
  }
  return () => {
    atBegin = true
    held = null
  }
}

/** Removes complete interim heads. */
function afterInterim (bytes: Buffer): Buffer {
  let rest = bytes
  while (mayBeInterim(rest)) {
    const end = rest.indexOf(END)
    if (end === -1) break
    rest = rest.subarray(end + END.length)
  }
  return rest
}

/** Whether these bytes may begin such a head; no bytes may. */
function mayBeInterim (bytes: Buffer): boolean {
  const digit = bytes[STATUS_AT]
  if (digit !== undefined && digit !== ONE) return false
  const begin = bytes.toString('latin1', 0, SAMPLE.length)
  return SHAPE.test(begin + SAMPLE.slice(begin.length))
}
