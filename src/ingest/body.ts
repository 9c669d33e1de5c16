/**
 * Reads the bytes of a callback, and no more of them than allowed.
 *
 * The limit is that of the moment, not of start-up, so it is counted here and
 * not by Fastify. A client that waits for `100 Continue` gets it only here:
 * one that is refused before never sends its body. Never looks at the bytes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

export type BodyReading =
  | { kind: 'whole', bytes: Buffer }
  | { kind: 'too-large' } // the rest is still unread
  | { kind: 'cut-off' } // the client went away, or was sent away for being slow
  | { kind: 'too-slow' } // `maxMs` ran out; the rest is still unread

export interface BodyLimits {
  maxBytes: number
  /** For the whole body; without it the server's own request timeout decides. */
  maxMs?: number
}

const NOTHING = Buffer.alloc(0)

/** What a request without a body holds. */
export const EMPTY_BODY: BodyReading = { kind: 'whole', bytes: NOTHING }

/** Whether some of the request's body may not have been read. */
export function hasUnreadBody (request: IncomingMessage): boolean {
  return announcesBody(request) && !request.complete && !request.readableEnded
}

/**
 * Reads a body to its end.
 *
 * @returns a buffer of its own, not a view of the socket's; `too-large` before
 *          the first byte when Content-Length says so. Never rejects
 */
export function readBody (
  request: IncomingMessage, response: ServerResponse, limits: BodyLimits
): Promise<BodyReading> {
  if (!announcesBody(request)) return Promise.resolve(EMPTY_BODY)
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) return Promise.resolve({ kind: 'too-large' })
  if (request.destroyed) return Promise.resolve({ kind: 'cut-off' })
  if (expectsContinue(request)) response.writeContinue()

  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let received = 0
    const timer = limits.maxMs === undefined ? undefined : setTimeout(() => { finish({ kind: 'too-slow' }) }, limits.maxMs)

    function finish (reading: BodyReading): void {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('close', onClose)
      request.pause()
      resolve(reading)
    }
    function onData (chunk: Buffer): void {
      received += chunk.length
      chunks.push(chunk)
      if (received > limits.maxBytes) finish({ kind: 'too-large' })
    }
    function onEnd (): void { finish({ kind: 'whole', bytes: Buffer.concat(chunks, received) }) }
    function onClose (): void { finish({ kind: 'cut-off' }) }

    request.on('error', onCutOff)
    request.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}

/** An aborted request is an `error` and then a `close`; the latter is waited for. */
function onCutOff (): void {}

/** Whether the headers of a request say that a body follows. */
export function announcesBody (request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

function expectsContinue (request: IncomingMessage): boolean {
  return request.httpVersion === '1.1' && /(?:^|\W)100-continue(?:\W|$)/i.test(request.headers.expect ?? '')
}
