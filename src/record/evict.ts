/**
 * Eviction: when memory is short, what is missed the least is deleted, the
 * oldest first, counted and told.
 *
 *   above 80 % of maxmemory ──▶ delivered events ──▶ old claims ──▶ failed events ──▶ the latest claims ──▶ down to 75 %
 *
 * An event that is evicted has been delivered, or was given up, and could have
 * been looked at or replayed for longer; of it a claim stays, as long as there
 * is anything else to delete. A claim that is given up makes a late duplicate a new
 * event. The alternative is to refuse what comes in. Never deletes anything
 * open or held: that is owed. Does nothing where the limit is not known.
 */
import type { Report } from '../model/fact.js'
import type { Memory } from '../redis/memory.js'
import { runScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const EVICT = loadRecordScript(new URL('./evict.lua', import.meta.url))

/** Memory is short above this share of it. */
export const SHORT_ABOVE = 0.8
/** Once begun, events go until no larger share is used: a little less, so that it does not begin again at once. */
export const ENOUGH_AT = 0.75

/** The latest claims go above this share only: the repeats that come are mostly theirs. */
const HARDLY_ANY_ABOVE = 0.9

/** Events, and shards of claims, deleted by one script: a few milliseconds of Redis's time. */
const STEP = 100
/** A round ends after this, milliseconds, so that what it did is told; the next goes on. */
const ROUND_MS = 1_000
/** While memory stays short this goes on several times a second; one line tells of all that went. */
const TELL_EVERY_MS = 1_000

/** The result of one round. */
export interface EvictResult {
  /** At its end. */
  memory: Memory
  /** Events deleted. */
  events: number
  /** How many of them had a failed delivery. */
  failed: number
  /** Claims given up. */
  claims: number
  /** Claims from before this time, epoch milliseconds, have been given up, now or earlier; 0 when none were. */
  forgottenBefore: number
  /** Memory is still short, and nothing is left that may go. */
  nothingLeft: boolean
}

export interface EvictOptions {
  /** Claims of events that are deleted are remembered for so long; milliseconds. */
  windowMs: number
  /** Begins above this share of the memory: {@link SHORT_ABOVE}, or {@link ENOUGH_AT} to go on with what was begun. */
  above: number
  /** When it ends, at the latest, after its beginning, milliseconds; {@link ROUND_MS} when left out. */
  roundMs?: number
  /** Asked between two steps; always, when left out. */
  mayGoOn?: () => Promise<boolean>
}

/**
 * Makes room while more memory is used than should be, for about a second at
 * most.
 *
 * @returns `null` when the memory is not known
 * @throws  what ioredis throws
 */
export async function evict ({ redis, keys }: RecordStore, { windowMs, above, roundMs = ROUND_MS, mayGoOn = async () => true }: EvictOptions): Promise<EvictResult | null> {
  const endsAt = performance.now() + roundMs
  let begins = above
  let [events, failed, claims] = [0, 0, 0]
  for (;;) {
    const [usedBytes, maxBytes, deleted = 0, withFailed = 0, lookedAt = 0, givenUp = 0, forgottenBefore = 0] = await runScript(redis, EVICT, {
      keys: [keys.ended, keys.endedFailed, keys.stats],
      args: [`{${keys.prefix}}:`, windowMs, begins, ENOUGH_AT, STEP, HARDLY_ANY_ABOVE]
    }) as number[]
    if (usedBytes === undefined || maxBytes === undefined) return null
    events += deleted
    failed += withFailed
    claims += givenUp
    const isLast = lookedAt < STEP
    if (isLast || performance.now() > endsAt || !await mayGoOn()) {
      return { memory: { usedBytes, maxBytes }, events, failed, claims, forgottenBefore, nothingLeft: isLast && usedBytes > maxBytes * SHORT_ABOVE }
    }
    begins = ENOUGH_AT
  }
}

export interface EvictorOptions {
  /** Asked at each round. */
  windowMs: () => number
  /** Asked between two steps of a round; always, when left out. */
  mayGoOn?: () => Promise<boolean>
  report: Report
  /** Events that went are told no more often, milliseconds; {@link TELL_EVERY_MS} when left out. */
  tellEveryMs?: number
}

/**
 * Makes the function that does one round and tells what it did: events that
 * went, at most once a second, and once that memory is short and none is left
 * that may go.
 */
export function createEvictor (store: RecordStore, { windowMs, mayGoOn = async () => true, report, tellEveryMs = TELL_EVERY_MS }: EvictorOptions): () => Promise<void> {
  let begun = false
  let short = false
  let untold = { events: 0, failed: 0, claims: 0 }
  let toldAt = -Infinity

  function tell ({ memory, forgottenBefore }: EvictResult): void {
    const { events, failed, claims } = untold
    if (events + claims === 0 || performance.now() - toldAt < tellEveryMs) return
    if (events > 0) report({ fact: 'record.deleted-early', events, failed, ...memory })
    if (claims > 0) report({ fact: 'record.claims-given-up', claims, before: forgottenBefore })
    untold = { events: 0, failed: 0, claims: 0 }
    toldAt = performance.now()
  }

  return async () => {
    const result = await evict(store, { windowMs: windowMs(), above: begun ? ENOUGH_AT : SHORT_ABOVE, mayGoOn })
    if (result === null) return
    const { memory, events, failed, claims, nothingLeft } = result
    const share = memory.usedBytes / memory.maxBytes
    begun = share > (begun || events + claims > 0 ? ENOUGH_AT : SHORT_ABOVE)
    untold = { events: untold.events + events, failed: untold.failed + failed, claims: untold.claims + claims }
    tell(result)
    if (!short && nothingLeft) {
      short = true
      report({ fact: 'redis.memory', state: 'short', ...memory })
    } else if (short && share <= ENOUGH_AT) {
      short = false
      report({ fact: 'redis.memory', state: 'enough', ...memory })
    }
  }
}
