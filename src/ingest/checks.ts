/**
 * The checks of the public endpoint, one method each; `app` puts them in their
 * order. Each lets the request pass, or answers it and reports why.
 *
 * Reasons in the facts are a fixed set: `address`, `headers`, `path`, `method`,
 * `rate`, `size`, `encoding`, `content`, `cut-off`, `unavailable`, `not-http`.
 * Those after `address` are of senders that were let in, so each is worth an
 * alert: it may have been a callback.
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Acceptance } from '../accept/arrival.js'
import type { Budget } from '../accept/refused.js'
import type { Hint } from '../model/fact.js'
import { refuse, RETRY_AFTER, type Refusal } from './answer.js'
import { EMPTY_BODY, readBody, type BodyReading } from './body.js'
import { callOf, openCall, type IngestCall } from './call.js'
import { createProxyAdviser, createSampler } from './denied.js'
import type { IngestOptions } from './options.js'
import { hintOfPath, pathOf } from './path.js'
import { peerOf } from './policy.js'
import type { CheckRate } from './rate-limit.js'
import { isIn } from './source-address.js'
import type { Unparsable } from './unparsable.js'

/** A sender of callbacks needs a dozen. */
const MAX_HEADERS = 100
/** A body that is too large is read so far, so that a sender on our list sees its 413. */
const MAX_DRAIN_BYTES = 16 * 1024 * 1024

/** Ends a hook: the reply when the request was answered. */
type Checked = Promise<FastifyReply | undefined>

/** What is reported of a refusal, beside its status. */
interface Told { reason: string, sampled?: boolean, hint?: Hint | undefined }

export class Checks {
  private readonly sampleDenied
  private readonly sampleMisdirected
  private readonly adviseProxy

  constructor (private readonly options: IngestOptions) {
    this.sampleDenied = createSampler(options.sampleWithinMs)
    this.sampleMisdirected = createSampler(options.sampleWithinMs)
    this.adviseProxy = createProxyAdviser(options.report)
  }

  begin = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (this.options.stopping?.() === true) reply.header('connection', 'close')
    openCall(request, reply, this.options.policy())
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
    const sampled = isCallback(request, call) && await this.keepDenied(request, call)
    return this.turnAway(request, { reason: 'address', sampled }, { status: 403, headers: { connection: 'close' } })
  }

  /** Refuses a request whose headers are too many to be told apart, or do not name the host as HTTP wants it. */
  checkHeaders = async (request: FastifyRequest): Checked => {
    if (request.raw.rawHeaders.length / 2 > MAX_HEADERS) return this.turnAway(request, { reason: 'headers' }, { status: 431 })
    if (namesHost(request.raw)) return
    return this.turnAway(request, { reason: 'headers' }, { status: 400, detail: 'The request must have one Host header.' })
  }

  checkPath = async (request: FastifyRequest): Checked => {
    const path = pathOf(request.originalUrl)
    const { policy } = callOf(request)
    if (policy.isPath(path)) return
    const sampled = await this.keepMisdirected(request, 'the path is not ingest.path')
    return this.turnAway(request, { reason: 'path', sampled, hint: hintOfPath(path, policy.path) }, { status: 404 })
  }

  checkMethod = async (request: FastifyRequest): Checked => {
    if (callOf(request).method === 'POST') return
    const sampled = await this.keepMisdirected(request, 'the method is not POST')
    return this.turnAway(request, { reason: 'method', sampled }, { status: 405, headers: { allow: 'POST' } })
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

  /** Our own fault, whatever it was. */
  fail = (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    this.options.report({ fact: 'accept.unavailable', reason: `${error.name}: ${error.message}` })
    return refuse(request, reply, UNAVAILABLE)
  }

  /** The address is asked first here as well. @returns the status to answer with */
  judgeUnparsable = ({ status, reason, hint, remoteAddress, isNews }: Unparsable): number => {
    const peer = peerOf(remoteAddress, this.options.policy)
    const told = peer === 'denied' ? { status: 403, reason: 'address' } : { status, reason, ...hint === undefined ? {} : { hint } }
    const unlisted = peer === 'unlisted' ? { unlisted: true as const } : {}
    if (isNews) this.options.report({ fact: 'callback.refused', source: remoteAddress ?? 'unknown', ...told, ...unlisted })
    return told.status
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

  private async keepDenied (request: FastifyRequest, call: IngestCall): Promise<boolean> {
    const body = await this.sampleDenied(request, call.reply)
    return body !== null && this.keep('denied', call, { body, field: null, problem: 'the address is not in allowFrom' })
  }

  /** Only what a listed address sends is worth it. */
  private async keepMisdirected (request: FastifyRequest, problem: string): Promise<boolean> {
    const call = callOf(request)
    if (call.flags.includes('unlisted')) return false
    const body = await this.sampleMisdirected(request, call.reply)
    return body !== null && this.keep('misdirected', call, { body, field: null, problem })
  }

  /** Hands a refused callback to the quarantine. @returns whether it was taken */
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

  private turnAway (request: FastifyRequest, { hint, ...told }: Told, refusal: Refusal): FastifyReply {
    const { source, flags, reply } = callOf(request)
    const marks = { ...hint === undefined ? {} : { hint }, ...flags.includes('unlisted') ? { unlisted: true as const } : {} }
    this.options.report({ fact: 'callback.refused', status: refusal.status, source: source.text, ...told, ...marks })
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
  return call.method === 'POST' && call.policy.isPath(pathOf(request.originalUrl))
}

/** @see RFC 9112 §3.2 */
function namesHost ({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0')
}

function isPlain (request: FastifyRequest): boolean {
  const encoding = request.headers['content-encoding'] ?? ''
  return encoding === '' || encoding.toLowerCase() === 'identity'
}
