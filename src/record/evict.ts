/**
 * Eviction: when memory is short, the least valuable data is deleted, the oldest
 * first. It is counted and reported.
 *
 *   above 80 % of maxmemory ──▶ delivered events ──▶ old claims ──▶ failed events ──▶ the latest claims ──▶ down to 75 %
 *
 * An evicted event has been delivered or has failed, and could have been inspected
 * or replayed for longer. Its claim stays as long as there is anything else to
 * delete. After a claim is given up, a late duplicate is a new event. The
 * alternative is to refuse callbacks. Never deletes anything open or held: that
 * is owed. Does nothing if the limit is unknown.
 */
import type { Report } from '../model/fact.js'
import type { Memory } from '../redis/memory.js'
import { runScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const EVICT = loadRecordScript(new URL('./evict.lua', import.meta.url))

/** Memory is short above this share of it. */
export const SHORT_ABOVE = 0.8
/** Eviction continues down to this share: a little less, so that it does not begin again at once. */
export const ENOUGH_AT = 0.75

/** The latest claims are evicted only above this share, because most duplicates belong to them. */
const HARDLY_ANY_ABOVE = 0.9

/** Events, and shards of claims, per script: a few milliseconds of Redis's time. */
const STEP = 100
/** Maximum duration of a round, milliseconds, so that its result is reported; the next one continues. */
const ROUND_MS = 1_000
/** While memory stays short, rounds run several times a second; one line reports all of them. */
const TELL_EVERY_MS = 1_000

/** The result of one round. */
export interface EvictResult {
  /** Memory at the end of the round. */
  memory: Memory
  /** Events deleted. */
  events: number
  /** How many of them had a failed delivery. */
  failed: number
  /** Number of claims given up. */
  claims: number
  /** Claims from before this time, epoch milliseconds, have been given up, now or earlier; 0 if none were. */
  forgottenBefore: number
  /** Memory is still short, and nothing is left that may be evicted. */
  nothingLeft: boolean
}

export interface EvictOptions {
  /** How long the claims of deleted events are kept; milliseconds. */
  windowMs: number
  /** Begins above this share of the memory: {@link SHORT_ABOVE}, or {@link ENOUGH_AT} to continue. */
  above: number
  /** Maximum duration, milliseconds; default {@link ROUND_MS}. */
  roundMs?: number
  /** Asked between two steps; always, when left out. */
  mayGoOn?: () => Promise<boolean>
}

/**
 * Frees memory while too much is used, for about a second at most.
 *
 * @returns `null` if the memory is unknown
 * @throws  errors of ioredis
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
  /** Read for each round. */
  windowMs: () => number
  /** Asked between two steps of a round; always, when left out. */
  mayGoOn?: () => Promise<boolean>
  report: Report
  /** Minimum interval between two reports of evicted events, milliseconds; default {@link TELL_EVERY_MS}. */
  tellEveryMs?: number
}

/**
 * Makes the function that does one round and reports it: evicted events at most
 * once a second, and once that memory is short with nothing left to evict.
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
