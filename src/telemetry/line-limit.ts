/**
 * Keeps strangers, and a Redis that is away, from filling the disk with log
 * lines.
 *
 * Whoever is not on the list can make as many refusals as he likes, also where
 * he is let in, and an outage says the same of every callback, and with every
 * try of the queue. Of each kind the first in a minute is written, with the
 * number of those that were not; the others are written only at the level
 * `debug`. What becomes of a listed sender's callback is always written, and
 * what a stranger does never takes the place of what happens to others.
 */
import type { Fact } from '../model/fact.js'

/** Reasons of `callback.refused` that need no request of a listed sender. */
const OF_ANYBODY = new Set(['address', 'not-http'])
const QUIET_MS = 60_000
/** Errors are texts of others: of more kinds than this, all are forgotten. */
const MOST_KINDS = 500

export interface LineLimit {
  /**
   * Asks whether to write a fact.
   *
   * @returns how many like it were not written since the last that was; `null` when this one is not to be written
   */
  admit: (fact: Fact) => number | null
}

/** Makes a limit that has seen nothing; `clock` is in milliseconds. */
export function limitLines (clock: () => number = () => performance.now()): LineLimit {
  const seen = new Map<string, { since: number, kept: number }>()
  return {
    admit (fact) {
      const kind = kindOf(fact)
      if (kind === null) return 0
      const last = seen.get(kind)
      const now = clock()
      if (last !== undefined && now - last.since < QUIET_MS) {
        last.kept += 1
        return null
      }
      if (seen.size >= MOST_KINDS) seen.clear()
      seen.set(kind, { since: now, kept: 0 })
      return last?.kept ?? 0
    }
  }
}

/** What makes facts alike; `null` for those of which each is written. */
function kindOf (fact: Fact): string | null {
  if (fact.fact === 'accept.unavailable') return fact.fact
  // Whichever queue it was, whichever port, and however long it took.
  if (fact.fact === 'queue.trouble') return `queue ${fact.error.replace(/\d+/g, '')}`
  if (fact.fact === 'admin.refused') return `admin refused ${fact.why}`
  if (fact.fact === 'callback.unlisted') return fact.fact
  if (fact.fact !== 'callback.refused') return null
  if (fact.unlisted === true) return `refused unlisted ${fact.reason}`
  return OF_ANYBODY.has(fact.reason) ? `refused ${fact.reason}` : null
}
