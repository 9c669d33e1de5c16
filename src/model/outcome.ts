/**
 * The three ways one attempt can end.
 *
 * A subscriber saying no is a value, not an exception.
 */

export type RetryReason =
  | 'timeout' // no complete answer within the subscriber's timeout
  | 'connection' // refused, reset, DNS or TLS failure
  | 'rate-limited' // 429
  | 'server-error' // 408 or 5xx
  | 'rejected' // any other answer that is not a 2xx

export type FailReason =
  | 'gone' // the subscriber answered 410
  | 'exhausted' // the budget of this generation is used up
  | 'expired' // the next attempt would come after `maxAge`
  | 'backlog' // more than `maxBacklog` waited, and it was among the oldest: no outcome of an attempt

/** What one answer means for its delivery. */
export type Outcome =
  | { kind: 'delivered', status: number }
  | { kind: 'retry', reason: RetryReason, status?: number, waitMs?: number }
  | { kind: 'failed', reason: FailReason, status?: number }
