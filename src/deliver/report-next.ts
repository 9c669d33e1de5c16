/**
 * Reports what an attempt decided: one fact, and one more when the subscriber
 * is gone. Never a body, a header or a URL.
 */
import type { Report } from '../model/fact.js'
import type { Outcome } from '../model/outcome.js'
import type { AttemptResult } from '../model/work.js'

export interface Decided extends Pick<AttemptResult, 'eventId' | 'subscriber' | 'attempt' | 'next'> {
  outcome: Outcome
}

/**
 * To be called when the attempt is recorded.
 */
export function reportNext (report: Report, { eventId, subscriber, attempt, next, outcome }: Decided): void {
  const about = { eventId, subscriber, attempt: attempt.number }
  const answered = attempt.statusCode === null ? {} : { statusCode: attempt.statusCode }

  if (outcome.kind === 'delivered') {
    report({ fact: 'delivery.delivered', ...about, statusCode: outcome.status, latencyMs: attempt.latencyMs })
  } else if (next.state === 'retrying' && outcome.kind === 'retry') {
    report({ fact: 'delivery.retrying', ...about, ...answered, reason: outcome.reason, error: attempt.error, nextAttemptAt: next.nextAttemptAt })
  } else if (next.state === 'failed') {
    report({ fact: 'delivery.failed', ...about, ...answered, reason: next.reason, error: attempt.error })
    if (next.reason === 'gone') report({ fact: 'subscriber.held', subscriber, by: 'gone' })
  }
}
