/**
 * How soon it was well again after a fault: from its end until a callback that
 * was sent after that had been acknowledged and taken by the subscriber that
 * wants everything. Faults that overlap are one, which ends with the last.
 *
 * A machine that stands still makes it longer, so a run tells it and judges by
 * it only with `--timed`.
 */
import type { Evidence } from './ledger.js'
import type { FaultKind } from './plan.js'

/** A fault as it came, epoch milliseconds. */
export interface Spell { kind: FaultKind, from: number, to: number }

export interface Recovery {
  /** Of all faults that were there together. */
  kinds: string[]
  /** `null` when no callback was sent after it, before the next. */
  ms: number | null
}

const STEADY = 'steady'

/** What is promised of a machine that has time for it, milliseconds. */
export const WELL_WITHIN_MS = 10_000

/** Those that took too long, one sentence each. */
export function tooSlow (recoveries: readonly Recovery[]): string[] {
  return recoveries.filter(({ ms }) => ms !== null && ms > WELL_WITHIN_MS)
    .map(({ kinds, ms }) => `well again only ${ms} ms after ${kinds.join(', ')}`)
}

export function recoveriesOf (spells: readonly Spell[], { sent, received }: Pick<Evidence, 'sent' | 'received'>): Recovery[] {
  const takenAt = new Map<number, number>()
  for (const { subscriber, n, isTaken, at } of received) {
    if (subscriber === STEADY && isTaken && n !== null && !takenAt.has(n)) takenAt.set(n, at)
  }
  const joined = join(spells)
  return joined.map(({ kinds, to }, place) => {
    const next = joined[place + 1]?.from ?? Infinity
    const well = sent.filter(({ firstSentAt, acknowledgedAt }) => firstSentAt >= to && acknowledgedAt !== null)
      .map(({ n, acknowledgedAt }) => Math.max(acknowledgedAt!, takenAt.get(n) ?? Infinity))
    const first = Math.min(...well)
    return { kinds, ms: first < next ? first - to : null }
  })
}

function join (spells: readonly Spell[]): Array<{ kinds: string[], from: number, to: number }> {
  const joined: Array<{ kinds: string[], from: number, to: number }> = []
  for (const { kind, from, to } of [...spells].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last === undefined || from > last.to) joined.push({ kinds: [kind], from, to })
    else {
      last.kinds.push(kind)
      last.to = Math.max(last.to, to)
    }
  }
  return joined
}
