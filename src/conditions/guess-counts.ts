/**
 * Counts wrong tokens that came to the admin API, and says so when they are too
 * many to be mistakes.
 */
import type { Fact } from '../model/fact.js'

/** So many within a minute are no mistake. */
const TOO_MANY = 20
const MINUTE_MS = 60_000
/** It is told until there were not too many for so long, milliseconds. */
const LASTS_MS = 60 * 60_000

export interface Guesses {
  /** Takes every fact, and counts those that matter. */
  see: (fact: Fact) => void
  /** How many since they became too many; 0 when they are not. */
  count: () => number
}

/** @param clock  epoch milliseconds */
export function createGuesses (clock: () => number = Date.now): Guesses {
  let minute = { began: -Infinity, count: 0 }
  let total = 0
  let lastTooMany = -Infinity
  const isOver = (): boolean => clock() - lastTooMany >= LASTS_MS

  return {
    see (fact) {
      if (fact.fact !== 'admin.refused' || (fact.why !== 'wrong-token' && fact.why !== 'must-wait')) return
      const now = clock()
      if (now - minute.began >= MINUTE_MS) minute = { began: now, count: 0 }
      if (isOver()) total = minute.count
      minute.count += 1
      total += 1
      if (minute.count >= TOO_MANY) lastTooMany = now
    },
    count: () => isOver() ? 0 : total
  }
}
