/**
 * The result of reading one written value: the value, or why it is invalid.
 * Problems never contain a text from the file, because any text there may be a
 * secret; the line and column point to it instead.
 */

/** Why a value cannot be used, and what to write instead. */
export interface Refusal {
  /** Follows the path in a sentence: "delivery.timeout *has no unit*". */
  problem: string
  hint?: string
}

export type Reading<T> = { value: T } | Refusal

/** Whether a reading ended in a problem. */
export function isRefusal<T> (reading: Reading<T>): reading is Refusal {
  return 'problem' in reading
}
