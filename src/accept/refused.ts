/**
 * A refused callback, as the entries hand it to the quarantine.
 */

/** Callbacks that were refused for different causes never push one another out. */
export type Budget = 'unreadable' | 'misdirected' | 'denied'

export interface RefusedCallback {
  budget: Budget
  /** For an operator: the reason, in our own words, without any value of the body. */
  reason: string
  /** The field that was wrong; `null` if it was the body as a whole, or nothing. */
  field: string | null
  /** The resolved source address; `unknown` if it could not be determined. */
  source: string
  /** Epoch milliseconds. */
  receivedAt: number
  /** As received; `application/json` if there was none. */
  contentType: string
  /** As received, byte for byte. */
  body: Buffer
}
