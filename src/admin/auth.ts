/**
 * Who is asking, and may they?
 *
 * Promises that how long a refusal takes says nothing about any token: digests
 * of equal length are compared, in constant time, against every token, with no
 * early exit. No token configured lets nobody in. Every refusal is reported, and
 * who guesses is slowed. Never logs or repeats what was presented.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { RelayError } from '../model/errors.js'
import type { Token, TokenRole } from '../config/config.js'
import type { CallerRefusal, Report } from '../model/fact.js'
import { createGuesses, sourceOf, type Guesses } from './guesses.js'

export interface Caller {
  /** Of the token. */
  name: string
  role: TokenRole
}

const callers = new WeakMap<FastifyRequest, Caller>()

export interface AuthOptions {
  /** Asked at each request. */
  tokens: () => readonly Token[]
  report: Report
}

/**
 * Makes the function that lets a request pass, or not.
 *
 * It throws a RelayError: UNAUTHORIZED without a token of ours; FORBIDDEN when
 * a viewer wants to change something; TOO_MANY_GUESSES, with
 * `retryAfterSeconds`, to a source that has tried too many, even when this one
 * is right: a refusal must not tell.
 */
export function createAuth ({ tokens, report }: AuthOptions, guesses: Guesses = createGuesses()): (request: FastifyRequest) => void {
  return request => {
    const source = sourceOf(request.raw.socket.remoteAddress)
    const refusal = judge(request, source, { tokens: tokens(), guesses })
    if (refusal === null) return
    report({ fact: 'admin.refused', source, why: refusal.why })
    throw refusal.error
  }
}

interface Refusal { why: CallerRefusal, error: RelayError }

/** @returns `null` when the request may pass; whose it is, is known from then on */
function judge (request: FastifyRequest, source: string, { tokens, guesses }: { tokens: readonly Token[], guesses: Guesses }): Refusal | null {
  const presented = presentedBy(request)
  if (presented === null) return { why: 'no-token', error: new RelayError('UNAUTHORIZED', 'Send the header "Authorization: Bearer <token>" with one of the admin tokens.') }
  const retryAfterSeconds = guesses.waitSeconds(source)
  if (retryAfterSeconds > 0) {
    return { why: 'must-wait', error: new RelayError('TOO_MANY_GUESSES', `Too many wrong tokens came from this address. Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds }) }
  }
  const caller = callerWith(presented, tokens)
  if (caller === null) {
    const why = guesses.take(source, presented) ? 'wrong-token' : 'same-wrong-token'
    return { why, error: new RelayError('UNAUTHORIZED', tokens.length === 0 ? NO_TOKENS : 'This is not one of the admin tokens.') }
  }
  if (caller.role !== 'operator' && request.method !== 'GET' && request.method !== 'HEAD') {
    return { why: 'viewer', error: new RelayError('FORBIDDEN', `The token "${caller.name}" belongs to a viewer, which may only read. This request needs the token of an operator.`) }
  }
  callers.set(request, caller)
  return null
}

const NO_TOKENS = 'This gateway has no admin token. Add one to admin.tokens in its configuration.'

/** Whose request it is, after {@link createAuth}'s function let it pass. */
export function callerOf (request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new Error('A request came to a route before it was authenticated')
  return caller
}

function presentedBy (request: FastifyRequest): string | null {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null
}

function callerWith (presented: string, tokens: readonly Token[]): Caller | null {
  const wanted = digestOf(presented)
  let found: Token | undefined
  for (const token of tokens) {
    const same = timingSafeEqual(wanted, digestOf(token.value))
    if (same) found ??= token
  }
  return found === undefined ? null : { name: found.name, role: found.role }
}

function digestOf (value: string): Buffer {
  return createHash('sha256').update(value).digest()
}
