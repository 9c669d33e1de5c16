/**
 * The circuit breaker of a subscriber: after many failures its deliveries are
 * held instead of burnt, until one that is tried alone shows that it is back.
 *
 *            too many failed                  for `openForMs`, longer each time
 *   closed ───────────────────▶ open ◀─────────────────────────────┐
 *     ▲                          │ is over                one failed │
 *     │ faster than it may be    ▼                                   │
 *   closing ◀─── one worked ── half-open ─────────────────────────────┤
 *     └──────────────────────────────────────────────────────────────┘
 *
 * Half-open, one delivery at a time is tried; closing, so many per second, and
 * each half second twice as many. The state is in Redis, where the attempts of all
 * replicas are recorded; this says what counts. What it means for limits stands in
 * `record/limits.lua`.
 */
import type { Outcome } from './outcome.js'

export interface BreakerRules {
  /** Of the attempts of a window, this share must have failed; above 0, 1 at most. */
  share: number
  /** And at least so many of them. */
  failures: number
  /** An attempt counts for one to two of these, milliseconds. */
  windowMs: number
  /** How long deliveries are held the first time, milliseconds; each time in a row twice as long. */
  openForMs: number
  /** And no longer than this, milliseconds. */
  maxOpenForMs: number
}

/** What is shown of it; closing is half-open to whoever looks. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** How a breaker stands between open and closed. */
export type Trial =
  | { state: 'half-open' }
  | { state: 'closing', perSecond: number }

/**
 * Whether an attempt says that the subscriber is well or not. An answer that
 * refuses this one event says that it is well: a poison event stops nobody.
 *
 * @returns `null` when it says nothing
 */
export function soundnessOf (outcome: Outcome | null): 'good' | 'bad' | null {
  if (outcome === null) return null
  if (outcome.kind !== 'retry') return 'good'
  return outcome.reason === 'rejected' ? 'good' : 'bad'
}
