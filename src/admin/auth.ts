/**
 * Who is asking, and may they?
 *
 * Promises that the time of a refusal reveals nothing about any token: digests
 * of equal length are compared, in constant time, with every token, without an
 * early exit. Without a configured token, every request is refused. Never logs
 * or shows the presented token.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { RelayError } from '../model/errors.js'
import type { Token, TokenRole } from '../config/config.js'

export interface Caller {
  /** The name of the token. */
  name: string
  role: TokenRole
}

const callers = new WeakMap<FastifyRequest, Caller>()

/**
 * Lets a request pass, or throws.
 *
 * @throws RelayError UNAUTHORIZED without a valid token; FORBIDDEN if a
 *         viewer wants to change something
 */
export function authenticate (request: FastifyRequest, tokens: readonly Token[]): void {
  const caller = callerWith(presentedBy(request), tokens)
  if (caller.role !== 'operator' && request.method !== 'GET' && request.method !== 'HEAD') {
    throw new RelayError('FORBIDDEN', `The token "${caller.name}" belongs to a viewer, which may only read. This request needs the token of an operator.`)
  }
  callers.set(request, caller)
}

/** The caller of a request, after {@link authenticate}. */
export function callerOf (request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new Error('A request came to a route before it was authenticated')
  return caller
}

function presentedBy (request: FastifyRequest): string {
  const parts = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')
  if (parts === null) throw new RelayError('UNAUTHORIZED', 'Send the header "Authorization: Bearer <token>" with one of the admin tokens.')
  return parts[1]!
}

function callerWith (presented: string, tokens: readonly Token[]): Caller {
  const wanted = digestOf(presented)
  let found: Token | undefined
  for (const token of tokens) {
    const same = timingSafeEqual(wanted, digestOf(token.value))
    if (same) found ??= token
  }
  if (found !== undefined) return { name: found.name, role: found.role }
  throw new RelayError('UNAUTHORIZED', tokens.length === 0
    ? 'This gateway has no admin token. Add one to admin.tokens in its configuration.'
    : 'This is not one of the admin tokens.')
}

function digestOf (value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
