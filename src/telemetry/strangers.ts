/**
 * Keeps strangers from filling the disk with log lines.
 *
 * Whoever is not let in can make as many refusals as he likes. Of each kind
 * the first in a minute is written, with the number of those that were not;
 * the others are written only at the level `debug`. What comes from a listed
 * sender is always written.
 */
import type { Fact } from '../model/fact.js'

/** Reasons of `callback.refused` that need no address of the list. */
const OF_STRANGERS = new Set(['address', 'not-http'])
const QUIET_MS = 60_000

export interface StrangerLimit {
  /**
   * Asks whether to write a fact.
   *
   * @returns how many like it were not written since the last that was; `null` when this one is not to be written
   */
  admit: (fact: Fact) => number | null
}

/** Makes a limit that has seen nothing; `clock` is in milliseconds. */
export function limitStrangers (clock: () => number = () => performance.now()): StrangerLimit {
  const seen = new Map<string, { since: number, kept: number }>()
  return {
    admit (fact) {
      if (fact.fact !== 'callback.refused' || !OF_STRANGERS.has(fact.reason)) return 0
      const last = seen.get(fact.reason)
      const now = clock()
      if (last !== undefined && now - last.since < QUIET_MS) {
        last.kept += 1
        return null
      }
      seen.set(fact.reason, { since: now, kept: 0 })
      return last?.kept ?? 0
    }
  }
}
