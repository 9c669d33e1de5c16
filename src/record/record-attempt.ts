/**
 * Records attempts and moves their deliveries to the next state. An attempt
 * made for a generation that is over is recorded and changes nothing else; to
 * record the same attempt twice is harmless.
 *
 * A function for scripts, because it goes along with the finishing of the job:
 * either both are in Redis or neither.
 */
import { soundnessOf, type BreakerRules } from '../model/breaker.js'
import type { AttemptResult } from '../model/work.js'
import { loadRecordScript } from './lua.js'
import { attemptFieldsOf } from './fields.js'

/** For scripts: what it takes and returns stands at its top. */
export const RECORD_ATTEMPTS = loadRecordScript(new URL('./record-attempts.lua', import.meta.url))

/** Attempts kept of one delivery; older ones are forgotten, their numbers go on. */
export const MAX_ATTEMPTS_KEPT = 50

/**
 * What {@link RECORD_ATTEMPTS} takes.
 *
 * @param breakerOf  the rules of a subscriber's breaker; `null` when it has none
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
