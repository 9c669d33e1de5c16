/**
 * Callbacks that were refused although the vendor may have sent them: each is
 * lost when it was real. One is enough for an alert, which lasts until none
 * has been refused for an hour.
 *
 * Never holds a body or an address: strangers choose both.
 */
import type { Condition } from '../model/alert.js'
import type { Fact } from '../model/fact.js'

/** Milliseconds. */
const LASTS_MS = 60 * 60_000

type RefusedFact = Extract<Fact, { fact: 'callback.refused' }>
type Name = 'callbacks-denied' | 'callbacks-unreadable' | 'callbacks-too-large'

/** What each kind means. An operator finds the bodies of the first two in the quarantine. */
const SAYS: Readonly<Record<Name, string>> = {
  'callbacks-denied': 'came from an address that is not in ingest.allowFrom, and was answered 403: has the vendor a new address, or is a proxy not in ingest.trustedProxies?',
  'callbacks-unreadable': 'could not be read, and was answered 400: has the vendor changed its format?',
  'callbacks-too-large': 'was larger than ingest.maxBody, and was answered 413: allow more, or ask the vendor'
}

export interface Refusals {
  /** Takes every fact, and counts those that matter. */
  see: (fact: Fact) => void
  conditions: () => Condition[]
}

/** @param clock  epoch milliseconds */
export function createRefusals (clock: () => number = Date.now): Refusals {
  const counts = new Map<Name, { count: number, lastAt: number }>()
  const isOver = (lastAt: number): boolean => clock() - lastAt >= LASTS_MS

  return {
    see (fact) {
      const name = fact.fact === 'callback.refused' ? nameOf(fact) : null
      if (name === null) return
      const known = counts.get(name)
      const count = known === undefined || isOver(known.lastAt) ? 0 : known.count
      counts.set(name, { count: count + 1, lastAt: clock() })
    },
    conditions () {
      return [...counts].filter(([, { lastAt }]) => !isOver(lastAt)).map(([name, { count }]) => ({
        name, severity: 'warning', of: 'replica', subscriber: null, summary: `${count === 1 ? 'a callback' : `each of ${count} callbacks`} ${SAYS[name]}`, figures: { callbacks: count }
      }))
    }
  }
}

/** What strangers send means nothing, but for what looks like a callback. */
function nameOf ({ reason, sampled, unlisted }: RefusedFact): Name | null {
  if (reason === 'address') return sampled === true ? 'callbacks-denied' : null
  if (unlisted === true) return null
  if (reason === 'size') return 'callbacks-too-large'
  return reason === 'content' || reason === 'encoding' ? 'callbacks-unreadable' : null
}
