/**
 * Records attempts and moves their deliveries to the next state. An attempt for a
 * former generation is recorded and changes nothing else; recording the same
 * attempt twice does no harm.
 *
 * A function for scripts, because it runs in the step that finishes the job:
 * Redis has both or neither.
 */
import { soundnessOf, type BreakerRules } from '../model/breaker.js'
import type { AttemptResult } from '../model/work.js'
import { loadRecordScript } from './lua.js'
import { attemptFieldsOf } from './fields.js'

/** For scripts: its head says what it takes and returns. */
export const RECORD_ATTEMPTS = loadRecordScript(new URL('./record-attempts.lua', import.meta.url))

/** Attempts stored per delivery; older ones are deleted, and the numbers continue. */
export const MAX_ATTEMPTS_KEPT = 50

/**
 * The input of {@link RECORD_ATTEMPTS}.
 *
 * @param breakerOf  the rules of a subscriber's breaker; `null` if it has none
 */
export function recordingOf (prefix: string, results: readonly AttemptResult[], breakerOf: (subscriber: string) => BreakerRules | null): object {
  const rules = [...new Set(results.map(({ subscriber }) => subscriber))].map(subscriber => [subscriber, breakerOf(subscriber)] as const)
  return {
    prefix: `{${prefix}}:`,
    kept: MAX_ATTEMPTS_KEPT,
    attempts: results.map(lineOf),
    breakers: Object.fromEntries(rules.filter(([, found]) => found !== null))
  }
}

function lineOf ({ eventId, subscriber, generation, attempt, outcome, usesBudget, next, throttleMs = 0 }: AttemptResult): Array<string | number | boolean> {
  return [
    eventId,
    subscriber,
    generation,
    String(attempt.at),
    attemptFieldsOf(attempt),
    usesBudget,
    next.state,
    next.state === 'retrying' ? Math.ceil(next.waitMs) : '',
    attempt.statusCode ?? '',
    attempt.error ?? '',
    next.state === 'failed' && next.reason === 'gone',
    soundnessOf(outcome) ?? '',
    next.state === 'failed' && next.reason === 'exhausted',
    Math.ceil(throttleMs)
  ]
}
