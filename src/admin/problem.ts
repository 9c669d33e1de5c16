/**
 * Every answer that is not a success, as a problem of RFC 9457, and the one
 * table from error code to status.
 *
 * Promises that what we did not expect is told to nobody but the log: its
 * message may hold anything.
 */
import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { isRelayError, type ErrorCode, type RelayError } from '../model/errors.js'
import { isRedisAway } from '../model/redis-away.js'

export const PROBLEM_TYPE = 'application/problem+json'

/** Asked of a client that found Redis away, seconds. */
const RETRY_AFTER_SECONDS = 5

export interface Problem {
  /** 400–599. */
  status: number
  /** For the caller: what is wrong and what to do. */
  detail?: string
  headers?: Readonly<Record<string, string>>
  /** Members of the document besides those of RFC 9457. */
  members?: Readonly<Record<string, unknown>>
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  CONFIG_INVALID: 422,
  USAGE: 400,
  INVALID_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  TOO_MANY_GUESSES: 429,
  NOT_FOUND: 404,
  CONFLICT: 409,
  REDIS_UNAVAILABLE: 503,
  REDIS_UNFIT: 503,
  REDIS_MISSING: 503,
  DATA_DIR_IN_USE: 500,
  LISTEN_FAILED: 500
}

/** What some statuses say in a header. */
const HEADERS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'www-authenticate': 'Bearer' },
  503: { 'retry-after': String(RETRY_AFTER_SECONDS) }
}

/** What Fastify finds wrong before a route is asked, in words for the caller. */
const UNREADABLE: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Send the body as JSON, with content-type: application/json.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is larger than 1 MB.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as its content-length says.',
  FST_ERR_BAD_URL: 'The path is not a valid URL path: check its percent-encoding.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the path is longer than any name here.'
}

const AWAY: Problem = { status: 503, detail: 'Redis does not answer. Try again in a few seconds.' }

/** What an error means for the caller; 500 without a word for those we did not expect. */
export function problemOf (error: unknown): Problem {
  if (isRelayError(error)) return { status: STATUS[error.code], detail: error.message, members: error.details, ...waitIn(error) }
  if (isRedisAway(error)) return AWAY
  const { statusCode, code = '' } = error as { statusCode?: number, code?: string }
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) {
    return { status: 500, detail: 'The gateway made a mistake; its log says which.' }
  }
  return { status: statusCode, detail: UNREADABLE[code] ?? 'The body is not valid JSON.' }
}

/** An error that says how long to wait says it in a header as well. */
function waitIn ({ details: { retryAfterSeconds } }: RelayError): Pick<Problem, 'headers'> {
  return typeof retryAfterSeconds === 'number' ? { headers: { 'retry-after': String(retryAfterSeconds) } } : {}
}

/** The document of a problem. */
export function documentOf ({ status, detail, members }: Problem): string {
  return JSON.stringify({ ...members, type: 'about:blank', title: STATUS_CODES[status], status, detail })
}

/** Sends a problem. */
export function sendProblem (reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers({ ...HEADERS[problem.status], ...problem.headers, 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' })
    .send(Buffer.from(documentOf(problem))) // to a text Fastify would add a charset, which this media type has not
}
