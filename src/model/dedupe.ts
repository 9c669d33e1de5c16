/**
 * How accepting tells a duplicate from a new event; the `dedupe` block of the
 * configuration.
 */

/** Maximum bytes of the claim of one deleted event in Redis, with all overhead; the bench measures it. */
export const CLAIM_BYTES = 64
/** Claims are kept for at most this many windows: the claims of a sixth of a window go together, see record/claims.lua. */
export const CLAIMS_KEPT_WINDOWS = 7 / 6
/** The share of Redis's memory that these claims may use by default. */
export const CLAIMS_PART = 1 / 4

/** How accepting tells a duplicate from a new event. */
export interface DedupePolicy {
  /** How long a claim is kept, milliseconds. */
  windowMs: number
  /** Other content under the same task and status: deliver it as a revision, or hold it for an operator. */
  onConflict: 'forward' | 'hold'
  /** A status 0 after a final status: record it without delivering, or deliver it. */
  onLate: 'keep' | 'forward'
  /** Top-level fields that do not count as content. */
  ignoreFields: readonly string[]
}
