/**
 * Step 5 of a delivery: decides what happens to the delivery next.
 *
 *   open ──▶ compose ──▶ send ──▶ classify ──▶ plan ──▶ record
 *
 * Pure: the random number is an argument, and there is no clock: it returns a
 * wait, not a time. The whole retry policy is here: backoff, budget, Retry-After
 * and `maxAge`.
 */
import type { Outcome } from '../model/outcome.js'
import type { RetryPolicy } from '../model/subscriber.js'
import type { NextState } from '../model/work.js'

export interface PlanInput {
  policy: RetryPolicy
  /** Attempts of this generation, including this one; ≥ 1. */
  budgetUsed: number
  /** Age of this generation now, milliseconds, without time on hold. */
  ageMs: number
  maxAgeMs: number
  /** A random number, evenly distributed between 0 and 1. */
  random: number
}

/**
 * @returns what to record. A retry that would begin after `maxAge` is not
 *          planned: the delivery has expired. `maxAge` never prevents the first
 *          attempt, because it is checked only after one
 * @throws  never
 */
export function planNext (outcome: Outcome, input: PlanInput): NextState {
  if (outcome.kind === 'delivered') return { state: 'delivered' }
  if (outcome.kind === 'failed') return { state: 'failed', reason: outcome.reason }

  const { policy, budgetUsed, ageMs, maxAgeMs, random } = input
  if (budgetUsed >= budgetOf(policy)) return { state: 'failed', reason: 'exhausted' }

  const askedMs = Math.min(outcome.waitMs ?? 0, policy.maxMs)
  const waitMs = Math.max(plannedWaitMs(policy, budgetUsed, random), askedMs)
  if (ageMs + waitMs > maxAgeMs) return { state: 'failed', reason: 'expired' }
  return { state: 'retrying', waitMs }
}

/** How many attempts one generation may use. */
function budgetOf (policy: RetryPolicy): number {
  return policy.kind === 'list' ? policy.waitsMs.length + 1 : policy.attempts
}

/** The wait of the policy after the n-th attempt, whole milliseconds. */
function plannedWaitMs (policy: RetryPolicy, n: number, random: number): number {
  if (policy.kind === 'list') return policy.waitsMs[n - 1] ?? 0
  const waitMs = Math.min(policy.initialMs * policy.factor ** (n - 1), policy.maxMs)
  return Math.round(waitMs * (1 + policy.jitter * (2 * random - 1)))
}
