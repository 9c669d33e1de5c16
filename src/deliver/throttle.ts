/**
 * Whether an answer throttles its subscriber: then no delivery is attempted for a
 * while, at no cost of budget. Pure.
 */
import type { Outcome } from '../model/outcome.js'

/** The wait after a 429 without Retry-After, milliseconds. */
export const THROTTLE_AFTER_429_MS = 1000

/**
 * @param maxMs  cap on the wait that the subscriber asks for, milliseconds
 * @returns      milliseconds; 0 if the other deliveries may continue
 */
export function throttleAfter (outcome: Outcome, maxMs: number): number {
  if (outcome.kind !== 'retry') return 0
  const asks = outcome.status === 429 || (outcome.status === 503 && outcome.waitMs !== undefined)
  if (!asks) return 0
  return Math.max(0, Math.min(outcome.waitMs ?? THROTTLE_AFTER_429_MS, maxMs))
}
