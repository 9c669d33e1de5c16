/**
 * `Idempotency-Key`: a POST that is sent twice is carried out once.
 *
 *   first ──▶ in flight ──▶ answered, kept for a day
 *                 │409            │the same answer again; 422 for another request
 *
 * A key belongs to its token: no other token gets its answer. Only successful
 * answers are kept: a refused or failed request may be sent again unchanged.
 * Keeps only the digest of a request's body, never the body.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RelayError } from '../model/errors.js'
import type { Report } from '../model/fact.js'
import { keepFor } from '../record/keep.js'
import type { RecordStore } from '../record/store.js'
import { callerOf } from './auth.js'
import { invalid } from './check-input.js'
import { sendProblem } from './problem.js'

const KEPT_MS = 24 * 3_600_000
/** A process that died during the request blocks its key no longer than this. */
const IN_FLIGHT_MS = 10 * 60_000
const MAX_KEY_CHARACTERS = 255

interface KeptAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** The value that is stored under a key. */
interface StoredRequest {
  digest: string
  /** Absent while the first request is in flight. */
  answer?: KeptAnswer
}

interface Claim { slot: string, digest: string }

export interface Idempotency {
  /** Before the route: claims the key, or answers instead of the route. */
  begin: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>
  /** After the answer: keeps it, or frees the key. */
  end: (request: FastifyRequest, reply: FastifyReply, payload: unknown) => Promise<void>
}

/**
 * Makes the two hooks. If an answer cannot be kept it is still sent, because it
 * is true; its key stays in flight for a while.
 */
export function createIdempotency (store: RecordStore, report: Report): Idempotency {
  const { redis, keys } = store
  const claims = new WeakMap<FastifyRequest, Claim>()

  return {
    async begin (request, reply) {
      const key = request.headers['idempotency-key']
      if (request.method !== 'POST' || request.is404 || key === undefined) return
      const claim = { slot: slotOf(keys.prefix, request, key), digest: digestOf(request) }
      const kept: StoredRequest = { digest: claim.digest }
      if (await keepFor({ redis }, claim.slot, { text: JSON.stringify(kept), ms: IN_FLIGHT_MS, when: 'absent' })) {
        claims.set(request, claim)
        return
      }
      return answerAgain(reply, claim, await redis.get(claim.slot))
    },
    async end (request, reply, payload) {
      const claim = claims.get(request)
      if (claim === undefined) return
      claims.delete(request)
      try {
        if (reply.statusCode >= 300) await redis.del(claim.slot)
        else await keepAnswer(redis, claim, keptAnswer(reply, payload))
      } catch (error) {
        report({ fact: 'admin.failed', error: `an answer was not kept for its Idempotency-Key: ${String(error)}` })
      }
    }
  }
}

function answerAgain (reply: FastifyReply, { digest }: Claim, stored: string | null): FastifyReply {
  const kept = stored === null ? null : JSON.parse(stored) as StoredRequest
  if (kept !== null && kept.digest !== digest) {
    return sendProblem(reply, { status: 422, detail: 'This Idempotency-Key was used for another request: make a new one for a new request.' })
  }
  if (kept?.answer === undefined) {
    throw new RelayError('CONFLICT', 'A request with this Idempotency-Key is in progress. Send this request again when that one is done.')
  }
  const { status, headers, body } = kept.answer
  return reply.code(status).headers({ ...headers, 'idempotency-replayed': 'true' }).send(body)
}

async function keepAnswer (redis: RecordStore['redis'], { slot, digest }: Claim, answer: KeptAnswer): Promise<void> {
  await keepFor({ redis }, slot, { text: JSON.stringify({ digest, answer } satisfies StoredRequest), ms: KEPT_MS, when: 'always' })
}

function keptAnswer (reply: FastifyReply, payload: unknown): KeptAnswer {
  const headers: Record<string, string> = {}
  for (const name of ['content-type', 'location']) {
    const value = reply.getHeader(name)
    if (value !== undefined) headers[name] = String(value)
  }
  return { status: reply.statusCode, headers, body: String(payload) }
}

/** @throws RelayError INVALID_REQUEST for an invalid key */
function slotOf (prefix: string, request: FastifyRequest, key: string | string[]): string {
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_CHARACTERS) {
    throw invalid([{ name: 'Idempotency-Key', problem: `Idempotency-Key takes 1 to ${MAX_KEY_CHARACTERS} characters.` }])
  }
  return `{${prefix}}:idempotency:${sha256(JSON.stringify([callerOf(request).name, key]))}`
}

function digestOf (request: FastifyRequest): string {
  return sha256(JSON.stringify([request.url, request.body ?? null]))
}

function sha256 (text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
