/**
 * The checks of the public endpoint, one method each; `app` puts them in their
 * order. Each lets the request pass, or answers it and reports why. Which
 * addresses are allowed is compiled in `policy`; who is calling is read in
 * `source-address`.
 *
 * Reasons in the facts are a fixed set: `headers`, `address`, `path`, `method`,
 * `rate`, `size`, `encoding`, `content`, `cut-off`, `unavailable`, `internal`,
 * `not-http`. A `size` always comes from an allowed address, so it is worth an
 * alert.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Acceptance } from '../accept/arrival.js'
import type { Budget } from '../accept/refused.js'
import { refuse, RETRY_AFTER, type Refusal } from './answer.js'
import { EMPTY_BODY, readBody, type BodyReading } from './body.js'
import { callOf, openCall, type IngestCall } from './call.js'
import { createProxyAdviser, createSampler } from './denied.js'
import type { IngestOptions } from './options.js'
import type { CheckRate } from './rate-limit.js'
import { isIn } from './source-address.js'

/** A sender of callbacks needs a dozen headers. */
const MAX_HEADERS = 100
/** How much of a body that is too large is read, so that an allowed sender sees its 413. */
const MAX_DRAIN_BYTES = 16 * 1024 * 1024

/** Ends a hook: the reply if the request was answered. */
type Checked = Promise<FastifyReply | undefined>

export class Checks {
  private readonly sample
  private readonly adviseProxy

  constructor (private readonly options: IngestOptions) {
    this.sample = createSampler(options.sampleWithinMs)
    this.adviseProxy = createProxyAdviser(options.report)
  }

  /** Begins the call; refuses a request with too many headers to tell them apart. */
  begin = async (request: FastifyRequest, reply: FastifyReply): Checked => {
    if (this.options.stopping?.() === true) reply.header('connection', 'close')
    openCall(request, reply, this.options.policy())
    if (request.raw.rawHeaders.length / 2 <= MAX_HEADERS) return
    return this.turnAway(request, { reason: 'headers' }, { status: 431 })
  }

  checkAddress = async (request: FastifyRequest): Checked => {
    const call = callOf(request)
    const { policy, source } = call
    if (isIn(policy.allowed, source.address)) return
    if (policy.allowlist === 'monitor') {
      call.flags.push('unlisted')
      this.options.report({ fact: 'callback.unlisted', source: source.text })
      return
    }
    this.adviseProxy(source, policy)
    const sampled = isCallback(request, call) && await this.keepSample(request, call)
    return this.turnAway(request, { reason: 'address', sampled }, { status: 403, headers: { connection: 'close' } })
  }

  checkPath = async (request: FastifyRequest): Checked => {
    if (callOf(request).policy.isPath(pathOf(request))) return
    return this.turnAway(request, { reason: 'path' }, { status: 404 })
  }

  checkMethod = async (request: FastifyRequest): Checked => {
    if (request.method === 'POST') return
    return this.turnAway(request, { reason: 'method' }, { status: 405, headers: { allow: 'POST' } })
  }

  checkRate (check: CheckRate): (request: FastifyRequest) => Checked {
    return async request => {
      const waitSeconds = await check(request)
      if (waitSeconds === null) return
      return this.turnAway(request, { reason: 'rate' }, { status: 429, headers: { 'retry-after': String(waitSeconds) } })
    }
  }

  /** Reads the body, as Fastify's parser for every content type. */
  readBody = async (request: FastifyRequest): Promise<BodyReading> => {
    const { reply, policy } = callOf(request)
    return await readBody(request.raw, reply.raw, { maxBytes: policy.maxBodyBytes })
  }

  /** The last of the checks: size, content, durability. */
  handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const call = callOf(request)
    const body = (request.body ?? EMPTY_BODY) as BodyReading
    if (body.kind === 'too-large') {
      const detail = `The body is larger than ${call.policy.maxBodyBytes} bytes.`
      return this.turnAway(request, { reason: 'size' }, { status: 413, detail, drainBytes: MAX_DRAIN_BYTES })
    }
    if (body.kind !== 'whole') return this.turnAway(request, { reason: 'cut-off' }, { status: 400 })
    if (!isPlain(request)) {
      const sampled = this.keep('unreadable', call, { body: body.bytes, problem: 'Content-Encoding is not identity', field: null })
      return this.turnAway(request, { reason: 'encoding', sampled }, {
        status: 400, detail: 'Content-Encoding must be identity, or left out.'
      })
    }
    const { contentType, flags } = call
    const acceptance = await this.options.accept({ body: body.bytes, contentType, receivedAt: Date.now(), flags })
    return this.answer(request, reply, { acceptance, body: body.bytes })
  }

  /** Answers our own internal error. */
  fail = (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    this.options.report({ fact: 'accept.unavailable', reason: `${error.name}: ${error.message}` })
    return refuse(request, reply, UNAVAILABLE)
  }

  /** Reports data that was not an HTTP request, or did not arrive in time. */
  reportUnparsable = (status: number, remoteAddress: string | undefined): void => {
    this.options.report({ fact: 'callback.refused', status, reason: 'not-http', source: remoteAddress ?? 'unknown' })
  }

  private answer (
    request: FastifyRequest, reply: FastifyReply, { acceptance, body }: { acceptance: Acceptance, body: Buffer }
  ): FastifyReply {
    switch (acceptance.kind) {
      case 'accepted':
      case 'duplicate':
        return sendOk(reply, `{"status":"${acceptance.kind}","eventId":"${acceptance.eventId}"}`)
      case 'spooled':
        return sendOk(reply, '{"status":"spooled"}')
      case 'unreadable': {
        const { field, problem } = acceptance
        const sampled = this.keep('unreadable', callOf(request), { body, field, problem })
        const detail = field === null ? `${problem}.` : `${field} ${problem}.`
        return this.turnAway(request, { reason: 'content', sampled }, { status: 400, detail, field: field ?? undefined })
      }
      case 'unavailable':
        return this.turnAway(request, { reason: 'unavailable' }, UNAVAILABLE)
    }
  }

  private async keepSample (request: FastifyRequest, call: IngestCall): Promise<boolean> {
    const body = await this.sample(request, call.reply)
    return body !== null && this.keep('denied', call, { body, field: null, problem: 'the address is not in allowFrom' })
  }

  /** Hands a refused callback to the quarantine. @returns whether it was accepted there */
  private keep (budget: Budget, call: IngestCall, why: { body: Buffer, field: string | null, problem: string }): boolean {
    const { source, contentType } = call
    try {
      this.options.quarantine({
        budget, reason: why.problem, field: why.field, source: source.text, receivedAt: Date.now(), contentType, body: why.body
      })
      return true
    } catch {
      return false // reported as not sampled
    }
  }

  private turnAway (request: FastifyRequest, told: { reason: string, sampled?: boolean }, refusal: Refusal): FastifyReply {
    const { source, flags, reply } = callOf(request)
    const unlisted = flags.includes('unlisted') ? { unlisted: true as const } : {}
    this.options.report({ fact: 'callback.refused', status: refusal.status, source: source.text, ...told, ...unlisted })
    return refuse(request, reply, refusal)
  }
}

const UNAVAILABLE: Refusal = {
  status: 503,
  detail: 'The callback could not be stored. Please send it again.',
  headers: { 'retry-after': String(RETRY_AFTER) }
}

function sendOk (reply: FastifyReply, body: string): FastifyReply {
  return reply.code(200).header('content-type', 'application/json').send(body)
}

function isCallback (request: FastifyRequest, call: IngestCall): boolean {
  return request.method === 'POST' && call.policy.isPath(pathOf(request))
}

/** As sent, without the query, neither decoded nor normalised. */
function pathOf (request: FastifyRequest): string {
  return request.originalUrl.split('?', 1)[0]!
}

function isPlain (request: FastifyRequest): boolean {
  const encoding = request.headers['content-encoding'] ?? ''
  return encoding === '' || encoding.toLowerCase() === 'identity'
}
