/**
 * Reports the result of an attempt: one fact, and a second one if the subscriber
 * is gone. Never a body, a header or a URL.
 */
import type { Report } from '../model/fact.js'
import type { AttemptResult } from '../model/work.js'

/**
 * Called when the attempt is on record.
 *
 * @param nextAttemptAt  as recorded, epoch milliseconds; `null` if the delivery has none planned. The record also plans one
 *                       for a delivery without budget whose attempt was the trial of a breaker, because a trial uses no budget
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
