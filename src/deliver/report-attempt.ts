/**
 * Reports what an attempt came to: one fact, and one more when the subscriber
 * is gone. Never a body, a header or a URL.
 */
import type { Report } from '../model/fact.js'
import type { AttemptResult } from '../model/work.js'

/**
 * To be called when the attempt is on record.
 *
 * @param nextAttemptAt  as recorded, epoch milliseconds; `null` when the delivery has none planned. The record plans one
 *                       for a delivery that used up its budget when a breaker is being tried: that uses none
 */
export function reportAttempt (report: Report, { eventId, subscriber, attempt, next, outcome }: AttemptResult, nextAttemptAt: number | null): void {
  const about = { eventId, subscriber, attempt: attempt.number }
  const answered = attempt.statusCode === null ? {} : { statusCode: attempt.statusCode }

  if (outcome === null) {
    report({ fact: 'delivery.cut-off', ...about })
  } else if (outcome.kind === 'delivered') {
    report({ fact: 'delivery.delivered', ...about, statusCode: outcome.status, latencyMs: attempt.latencyMs })
  } else if (outcome.kind === 'retry' && (nextAttemptAt !== null || next.state === 'retrying')) {
    report({ fact: 'delivery.retrying', ...about, ...answered, reason: outcome.reason, error: attempt.error, nextAttemptAt })
  } else if (next.state === 'failed') {
    report({ fact: 'delivery.failed', ...about, ...answered, reason: next.reason, error: attempt.error })
    if (next.reason === 'gone') report({ fact: 'subscriber.held', subscriber, by: 'gone' })
  }
}
