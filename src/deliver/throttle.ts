/**
 * Whether an answer throttles its subscriber: no delivery at all for a while,
 * at no cost of attempts. Pure.
 */
import type { Outcome } from '../model/outcome.js'

/** After a 429 that does not say how long. */
export const THROTTLE_AFTER_429_MS = 1000

/**
 * @param maxMs  caps what the subscriber asks for, milliseconds
 * @returns      milliseconds; 0 when the others may go on
 */
export function throttleAfter (outcome: Outcome, maxMs: number): number {
  if (outcome.kind !== 'retry') return 0
  const asks = outcome.status === 429 || (outcome.status === 503 && outcome.waitMs !== undefined)
  if (!asks) return 0
  return Math.max(0, Math.min(outcome.waitMs ?? THROTTLE_AFTER_429_MS, maxMs))
}
