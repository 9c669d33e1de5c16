/**
 * A limited number in each period: for work that a stranger could cause again
 * and again, such as logging advice or keeping a sample.
 */
export interface Allowance {
  /** Takes one; `false` when none is left in this period. Never throws. */
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
