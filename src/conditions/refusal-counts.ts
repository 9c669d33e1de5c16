/**
 * Counts refused callbacks that may have come from the vendor: a real one is lost.
 * One is enough for an alert, which lasts until none has been refused for an
 * hour.
 *
 * Never stores a body or an address: strangers choose both.
 */
import type { Fact } from '../model/fact.js'
import type { Finding, RefusalCounts, RefusalName } from './condition.js'

/** Milliseconds. */
const LASTS_MS = 60 * 60_000

type RefusedFact = Extract<Fact, { fact: 'callback.refused' }>

export interface Refusals {
  /** Takes every fact, and counts the refusals that matter. */
  see: (fact: Fact) => void
  counts: () => RefusalCounts
}

/** @param clock  epoch milliseconds */
export function createRefusals (clock: () => number = Date.now): Refusals {
  const seen = new Map<RefusalName, { count: number, lastAt: number }>()
  const isOver = (lastAt: number): boolean => clock() - lastAt >= LASTS_MS

  return {
    see (fact) {
      const name = fact.fact === 'callback.refused' ? nameOf(fact) : null
      if (name === null) return
      const known = seen.get(name)
      const count = known === undefined || isOver(known.lastAt) ? 0 : known.count
      seen.set(name, { count: count + 1, lastAt: clock() })
    },
    counts: () => Object.fromEntries([...seen].filter(([, { lastAt }]) => !isOver(lastAt)).map(([name, { count }]) => [name, count]))
  }
}

/** The common part of the conditions about refusals. */
export function findRefusals (count = 0, says: string): Finding[] {
  return count === 0 ? [] : [{ summary: `${count === 1 ? 'a callback' : `each of ${count} callbacks`} ${says}`, figures: { callbacks: count } }]
}

/** Requests of strangers do not matter, unless they look like a callback. */
function nameOf ({ reason, sampled, unlisted }: RefusedFact): RefusalName | null {
  if (reason === 'address') return sampled === true ? 'callbacks-denied' : null
  if (unlisted === true) return null
  if (reason === 'size') return 'callbacks-too-large'
  return reason === 'content' || reason === 'encoding' ? 'callbacks-unreadable' : null
}
