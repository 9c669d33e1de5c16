/**
 * Step 4 of a delivery: what does the subscriber's answer, or its absence, mean?
 *
 *   open ──▶ compose ──▶ send ──▶ classify ──▶ plan ──▶ record
 *
 * Pure: no clock, no I/O. Only this file decides whether an answer is worth
 * another attempt; `plan` decides when. What `Retry-After` says is read in
 * `retry-after`.
 */
import type { Outcome } from '../model/outcome.js'
import { waitAsked } from './retry-after.js'

/** An answer, or the failure in its place. */
export type AnswerToClassify =
  | { status: number, retryAfter?: string }
  | { failure: 'timeout' | 'connection' }

/**
 * @param answer  status 100–999 as received (redirects are not followed)
 * @param now     epoch milliseconds; read only against a date in Retry-After
 * @returns       the outcome; `waitMs` is the minimum wait that the subscriber
 *                asked for, milliseconds, absent if it asked for none
 * @throws        never
 * @see           Standard Webhooks, "Delivery success and failure"
 */
export function classify (answer: AnswerToClassify, now: number): Outcome {
  if ('failure' in answer) return { kind: 'retry', reason: answer.failure }

  const { status } = answer
  if (status >= 200 && status < 300) return { kind: 'delivered', status }
  if (status === 410) return { kind: 'failed', reason: 'gone', status }

  const waitMs = waitAsked(answer.retryAfter, now)
  const wait = waitMs === undefined ? {} : { waitMs }
  if (status === 429) return { kind: 'retry', reason: 'rate-limited', status, ...wait }
  if (status === 408 || (status >= 500 && status < 600)) return { kind: 'retry', reason: 'server-error', status, ...wait }
  return { kind: 'retry', reason: 'rejected', status }
}
