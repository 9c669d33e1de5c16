/**
 * So many in a period, and then no more until the next: for what a stranger
 * could make us do over and over, as to log advice or to keep a sample.
 */
export interface Allowance {
  /** Takes one; `false` when this period's are gone. Never throws. */
  take (): boolean
}

/**
 * @param max    per period, ≥ 1
 * @param perMs  length of a period, milliseconds; it begins with its first take
 * @param now    the clock, epoch milliseconds
 */
export function createAllowance (max: number, perMs: number, now: () => number = Date.now): Allowance {
  let began = -Infinity
  let taken = 0
  return {
    take () {
      const at = now()
      if (at - began >= perMs || at < began) {
        began = at
        taken = 0
      }
      if (taken >= max) return false
      taken++
      return true
    }
  }
}
