/**
 * How accepting tells a duplicate from something new; the `dedupe` block of the
 * configuration.
 */
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
