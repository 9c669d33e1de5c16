/**
 * Answers before the answer (1xx), left out of what the HTTP client reads.
 *
 * A client has to read past them, asked for or not (RFC 9110 §15.2). undici
 * takes 100 (Continue) for a fault and closes the connection, so that a server
 * which sends one could never be delivered to. 101 is left in: it ends the use
 * of HTTP, which is a fault indeed.
 *
 * Holds back at most 16 kB. Costs a look at one byte where an answer begins.
 */
import type { Socket } from 'node:net'

/** Where the status stands, and what its first digit is in an answer before the answer. */
const STATUS_AT = 'HTTP/1.1 '.length
const ONE = '1'.charCodeAt(0)

/** How such a head begins, and one that does. */
const SHAPE = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r]/
const SAMPLE = 'HTTP/1.1 103 '

const END = Buffer.from('\r\n\r\n')

/** A larger head is handed on as it is: the client has a limit of its own. */
const MAX_HEAD_BYTES = 16 * 1024

/**
 * From now on `socket.read` leaves out what comes before an answer.
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

/** Without the heads that are there to their end. */
function afterInterim (bytes: Buffer): Buffer {
  let rest = bytes
  while (mayBeInterim(rest)) {
    const end = rest.indexOf(END)
    if (end === -1) break
    rest = rest.subarray(end + END.length)
  }
  return rest
}

/** Whether these bytes begin such a head, as far as they go; none at all may. */
function mayBeInterim (bytes: Buffer): boolean {
  const digit = bytes[STATUS_AT]
  if (digit !== undefined && digit !== ONE) return false
  const begin = bytes.toString('latin1', 0, SAMPLE.length)
  return SHAPE.test(begin + SAMPLE.slice(begin.length))
}
