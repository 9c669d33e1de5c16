/**
 * Every answer of the public endpoint other than 200.
 *
 * Promises that the client can read the answer although it is still sending: if
 * a server closes a connection with unread bytes, the network discards the
 * answer. So the rest of the body is read for a moment and discarded.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasUnreadBody } from './body.js'

export interface Refusal {
  /** 400–599. */
  status: number
  /** For the sender: what is wrong and what to do; absent for senders who must learn nothing. */
  detail?: string | undefined
  /** The field of the body that is wrong. */
  field?: string | undefined
  headers?: Readonly<Record<string, string>>
  /** How much of an unread body is read so that the answer arrives; default 64 kB. */
  drainBytes?: number
}

/** Retry-After for a callback that could not be stored, seconds. */
export const RETRY_AFTER = 5

const DRAIN_MS = 1_000
const DRAIN_BYTES = 64 * 1024

export const PROBLEM_TYPE = 'application/problem+json'

/**
 * The body of a refusal.
 *
 * @see RFC 9457; `about:blank` means that the status says it all
 */
export function problemOf (refusal: Refusal): string {
  const { status, detail, field } = refusal
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, field })
}

/** Sends a refusal. Then closes the connection if the body was not read. */
export function refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const headers = { ...refusal.headers, 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' }
  const body = Buffer.from(problemOf(refusal)) // for a string, Fastify would add a charset, which this type does not have
  if (!hasUnreadBody(request.raw)) return reply.code(refusal.status).headers(headers).send(body)

  const { raw } = reply.hijack()
  raw.writeHead(refusal.status, { ...headers, 'content-length': body.length, connection: 'close' })
  raw.write(body)
  drain(request, refusal.drainBytes ?? DRAIN_BYTES, () => { raw.end() })
  return reply
}

/** Reads and discards the rest of a body, up to its end or a limit. */
function drain (request: FastifyRequest, maxBytes: number, done: () => void): void {
  const { raw } = request
  const timer = setTimeout(finish, DRAIN_MS)
  let drained = 0
  function onData (chunk: Buffer): void {
    drained += chunk.length
    if (drained > maxBytes) finish()
  }
  function finish (): void {
    clearTimeout(timer)
    raw.off('data', onData).off('end', finish).off('close', finish)
    done()
  }
  raw.on('data', onData).on('end', finish).on('close', finish).on('error', finish)
  raw.resume()
}
