/**
 * Counts callbacks that were refused although the vendor may have sent them:
 * each is lost when it was real. One is enough for an alert, which lasts until
 * none has been refused for an hour.
 *
 * Never holds a body, a path or an address: strangers choose them.
 */
import type { Fact } from '../model/fact.js'
import type { Finding, Misdirection, RefusalCounts, RefusalName } from './condition.js'

/** Milliseconds. */
const LASTS_MS = 60 * 60_000

type RefusedFact = Extract<Fact, { fact: 'callback.refused' }>

export interface Refusals {
  /** Takes every fact, and counts those that matter. */
  see: (fact: Fact) => void
  counts: () => RefusalCounts
  /** In how many ways callbacks were misdirected; as many as were counted. */
  misdirected: () => Misdirection[]
}

interface Seen {
  lastAt: number
  count: number
  /** By reason and hint, of both of which there are few. */
  ways: Map<string, Misdirection>
}

/** @param clock  epoch milliseconds */
export function createRefusals (clock: () => number = Date.now): Refusals {
  const seen = new Map<RefusalName, Seen>()
  const isOver = ({ lastAt }: Seen): boolean => clock() - lastAt >= LASTS_MS
  const lasting = (): Array<[RefusalName, Seen]> => [...seen].filter(([, one]) => !isOver(one))

  return {
    see (fact) {
      if (fact.fact !== 'callback.refused') return
      const name = nameOf(fact)
      if (name === null) return
      const known = seen.get(name)
      const one = known === undefined || isOver(known) ? { lastAt: 0, count: 0, ways: new Map<string, Misdirection>() } : known
      seen.set(name, { ...one, lastAt: clock(), count: one.count + 1 })
      countWay(one.ways, fact)
    },
    counts: () => Object.fromEntries(lasting().map(([name, { count }]) => [name, count])),
    misdirected: () => lasting().flatMap(([name, { ways }]) => name === 'callbacks-misdirected' ? [...ways.values()] : [])
  }
}

function countWay (ways: Seen['ways'], { reason, hint }: RefusedFact): void {
  const way = `${reason} ${hint ?? ''}`
  ways.set(way, { reason, hint: hint ?? null, count: (ways.get(way)?.count ?? 0) + 1 })
}

/** What the conditions about refusals have in common. */
export function findRefusals (count = 0, says: string): Finding[] {
  return count === 0 ? [] : [{ summary: `${count === 1 ? 'a callback' : `each of ${count} callbacks`} ${says}`, figures: { callbacks: count } }]
}

/** Ways to be refused before anybody looks into the body. */
const MISDIRECTED = new Set(['headers', 'path', 'method', 'rate', 'not-http'])

/** What strangers send means nothing, but for what looks like a callback; what we ask for again is not lost. */
function nameOf ({ reason, status, sampled, unlisted }: RefusedFact): RefusalName | null {
  if (reason === 'address') return sampled === true ? 'callbacks-denied' : null
  if (unlisted === true || status >= 500) return null
  if (reason === 'size') return 'callbacks-too-large'
  if (MISDIRECTED.has(reason)) return 'callbacks-misdirected'
  return reason === 'content' || reason === 'encoding' ? 'callbacks-unreadable' : null
}
