/**
 * What is known of one request while it passes the checks.
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Flag } from '../model/event.js'
import { compilePolicy, type CompiledPolicy, type IngestPolicy } from './policy.js'
import { resolveSource, type Source } from './source-address.js'

export interface IngestCall {
  /** As it was when the request came: a reload in between changes nothing. */
  policy: CompiledPolicy
  source: Source
  /** As it came; the router was shown another. */
  method: string
  /** As received; `application/json` when there was none. */
  contentType: string
  flags: Flag[]
  reply: FastifyReply
}

const calls = new WeakMap<FastifyRequest, IngestCall>()
const methods = new WeakMap<IncomingMessage, string>()

/**
 * Shows the router one request, whatever was asked for: it has no word for some
 * methods that the parser knows, and answers them past every check. Path and
 * method are compared by the checks, as they came.
 *
 * @returns the path that it is shown
 */
export function showToRouter (request: IncomingMessage): string {
  methods.set(request, request.method ?? '')
  request.method = 'POST'
  return '/'
}

/**
 * Begins a call. Takes the content type off the request, because Fastify
 * refuses those it does not understand and we refuse none.
 *
 * @throws RangeError when the policy holds an address that is none
 */
export function openCall (request: FastifyRequest, reply: FastifyReply, policy: IngestPolicy): IngestCall {
  const compiled = compilePolicy(policy)
  const { headers } = request.raw
  const forwardedFor = headers['x-forwarded-for']
  const call: IngestCall = {
    policy: compiled,
    source: resolveSource(
      request.raw.socket.remoteAddress,
      Array.isArray(forwardedFor) ? forwardedFor.join() : forwardedFor,
      compiled.trusted
    ),
    method: methods.get(request.raw) ?? '',
    contentType: headers['content-type'] || 'application/json',
    flags: [],
    reply
  }
  delete headers['content-type']
  calls.set(request, call)
  return call
}

/** The call of a request that {@link openCall} has seen. */
export function callOf (request: FastifyRequest): IngestCall {
  const call = calls.get(request)
  if (call === undefined) throw new Error('A request came to a check before its call was opened')
  return call
}
