/**
 * Errors for surprises. Each carries a stable code, a message that says what
 * to do next, and details that are safe to log. What a subscriber answers is
 * never one of these (see `outcome`).
 */

/** The stable codes; one place maps them to HTTP statuses, another to exit codes. */
export type ErrorCode =
  | 'CONFIG_INVALID' // the configuration has faults
  | 'USAGE' // a flag or argument is wrong
  | 'INVALID_REQUEST' // a filter, body or header of an API request is wrong
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'TOO_MANY_GUESSES' // so many wrong tokens came from there that it must wait
  | 'NOT_FOUND'
  | 'CONFLICT' // the thing is not in a state that allows this
  | 'REDIS_UNAVAILABLE' // no answer in time, or not one that can be trusted
  | 'REDIS_UNFIT' // reachable, but its settings or data do not carry the promises
  | 'REDIS_MISSING' // no redis-server or valkey-server program to start
  | 'DATA_DIR_IN_USE' // another gateway owns the data directory
  | 'LISTEN_FAILED' // an address cannot be bound

export class RelayError extends Error {
  readonly code: ErrorCode
  /** Safe to log and to show: no secrets, no bodies. */
  readonly details: Readonly<Record<string, unknown>>

  /** @param about  the details, and the `cause`, which is none of them */
  constructor (code: ErrorCode, message: string, { cause, ...details }: Record<string, unknown> & ErrorOptions = {}) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'RelayError'
    this.code = code
    this.details = details
  }
}

/** Whether an error is ours and of this kind. */
export function isRelayError (error: unknown, code?: ErrorCode): error is RelayError {
  return error instanceof RelayError && (code === undefined || error.code === code)
}
