/**
 * The circuit breaker of a subscriber: after many failures its deliveries are
 * held, so that they use no budget, until a single trial shows that the subscriber
 * is back.
 *
 *            too many failed                  for `openForMs`, longer each time
 *   closed ───────────────────▶ open ◀─────────────────────────────┐
 *     ▲                          │ is over                one failed │
 *     │ faster than it may be    ▼                                   │
 *   closing ◀─── one worked ── half-open ─────────────────────────────┤
 *     └──────────────────────────────────────────────────────────────┘
 *
 * A half-open breaker lets one delivery at a time through; a closing one limits
 * the rate and doubles it every half second. The state is in Redis, where the
 * attempts of all replicas are recorded (`record/breaker.lua`); this file says
 * which attempts count. `record/limits.lua` applies the state to the limits.
 */
import type { Outcome } from './outcome.js'

export interface BreakerRules {
  /** The breaker opens if at least this share of a window's attempts failed; above 0, at most 1. */
  share: number
  /** Minimum number of failures in the window before the breaker may open. */
  failures: number
  /** An attempt counts for one to two windows of this length, milliseconds. */
  windowMs: number
  /** How long deliveries are held the first time, milliseconds; doubled each time in a row. */
  openForMs: number
  /** Maximum of that time, milliseconds. */
  maxOpenForMs: number
}

/** The state that is shown; closing is shown as half-open. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** The state of a breaker. */
export type Trial =
  | { state: 'half-open' }
  | { state: 'closing', perSecond: number }

/**
 * Whether an attempt shows that the subscriber is healthy. An answer that refuses
 * this one event shows that it is: a poison event must not open the breaker.
 *
 * @returns `null` if the attempt shows nothing
 */
export function soundnessOf (outcome: Outcome | null): 'good' | 'bad' | null {
  if (outcome === null) return null
  if (outcome.kind !== 'retry') return 'good'
  return outcome.reason === 'rejected' ? 'good' : 'bad'
}
