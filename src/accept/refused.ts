/**
 * A callback that was refused: what the ways in hand to the quarantine.
 */

/** Callbacks that were refused for different causes never push one another out. */
export type Budget = 'unreadable' | 'misdirected' | 'denied'

export interface RefusedCallback {
  budget: Budget
  /** For an operator: why, as a phrase of ours, without any value of the body. */
  reason: string
  /** The field that was wrong, `null` when the body as a whole was, or nothing. */
  field: string | null
  /** The resolved source address, `unknown` when it could not be told. */
  source: string
  /** Epoch milliseconds. */
  receivedAt: number
  /** As received; `application/json` when there was none. */
  contentType: string
  /** As received, byte for byte. */
  body: Buffer
}
