/**
 * How accepting tells a duplicate from something new; the `dedupe` block of the
 * configuration.
 */

/** What the claim of one deleted event takes in Redis at most, bytes, all that belongs to it included; the bench measures it. */
export const CLAIM_BYTES = 64
/** They are kept for so many windows at most: those of a sixth of one go together, see record/claims.lua. */
export const CLAIMS_KEPT_WINDOWS = 7 / 6
/** What these claims may take of Redis's memory when the configuration says nothing. */
export const CLAIMS_PART = 1 / 4

/** How accepting tells a repeat from something new. */
export interface DedupePolicy {
  /** How long a claim is remembered, milliseconds. */
  windowMs: number
  /** Other content under the same task and status: deliver it as a revision, or hold it for an operator. */
  onConflict: 'forward' | 'hold'
  /** A status 0 after a final one: record it without delivering, or deliver it. */
  onLate: 'keep' | 'forward'
  /** Top-level fields that do not count as content. */
  ignoreFields: readonly string[]
}
