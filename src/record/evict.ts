/**
 * Eviction: when memory is short, finished events are deleted before their
 * retention is over, the oldest first, counted and told.
 *
 *   above 80 % of maxmemory ──▶ delivered ones ──▶ failed ones ──▶ down to 75 %
 *
 * What is evicted has been delivered, or was given up, and could have been
 * looked at or replayed for longer; the alternative is to refuse what comes in. Never
 * deletes anything open or held: that is owed. Never shortens a claim: a
 * duplicate stays a duplicate. Does nothing where the limit is not known.
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

/** Events deleted by one script: a few milliseconds of Redis's time. */
const STEP = 100
/** A round ends after this, milliseconds, so that what it did is told; the next goes on. */
const ROUND_MS = 1_000
/** While memory stays short events go several times a second; one line tells of all of them. */
const TELL_EVERY_MS = 1_000

/** The result of one round. */
export interface EvictResult {
  /** At its end. */
  memory: Memory
  /** Events deleted. */
  events: number
  /** How many of them had a failed delivery. */
  failed: number
  /** Memory is still short, and no finished event is left. */
  nothingLeft: boolean
}

export interface EvictOptions {
  /** Claims are remembered this long whatever becomes of their events; milliseconds. */
  windowMs: number
  /** Begins above this share of the memory: {@link SHORT_ABOVE}, or {@link ENOUGH_AT} to go on with what was begun. */
  above: number
  /** When it ends, at the latest, after its beginning, milliseconds; {@link ROUND_MS} when left out. */
  roundMs?: number
}

/**
 * Deletes finished events while more memory is used than should be, for about
 * a second at most.
 *
 * @returns `null` when the memory is not known
 * @throws  what ioredis throws
 */
export async function evict ({ redis, keys }: RecordStore, { windowMs, above, roundMs = ROUND_MS }: EvictOptions): Promise<EvictResult | null> {
  const endsAt = performance.now() + roundMs
  let begins = above
  let [events, failed] = [0, 0]
  for (;;) {
    const [usedBytes, maxBytes, deleted = 0, withFailed = 0, lookedAt = 0] = await runScript(redis, EVICT, {
      keys: [keys.ended, keys.endedFailed, keys.stats],
      args: [`{${keys.prefix}}:`, windowMs, begins, ENOUGH_AT, STEP]
    }) as number[]
    if (usedBytes === undefined || maxBytes === undefined) return null
    events += deleted
    failed += withFailed
    const isLast = lookedAt < STEP
    if (isLast || performance.now() > endsAt) {
      return { memory: { usedBytes, maxBytes }, events, failed, nothingLeft: isLast && usedBytes > maxBytes * SHORT_ABOVE }
    }
    begins = ENOUGH_AT
  }
}

export interface EvictorOptions {
  /** Asked at each round. */
  windowMs: () => number
  report: Report
  /** Events that went are told no more often, milliseconds; {@link TELL_EVERY_MS} when left out. */
  tellEveryMs?: number
}

/**
 * Makes the function that does one round and tells what it did: events that
 * went, at most once a second, and once that memory is short and none is left
 * that may go.
 */
export function createEvictor (store: RecordStore, { windowMs, report, tellEveryMs = TELL_EVERY_MS }: EvictorOptions): () => Promise<void> {
  let begun = false
  let short = false
  let untold = { events: 0, failed: 0 }
  let toldAt = -Infinity

  function tell (memory: Memory): void {
    if (untold.events === 0 || performance.now() - toldAt < tellEveryMs) return
    report({ fact: 'record.deleted-early', ...untold, ...memory })
    untold = { events: 0, failed: 0 }
    toldAt = performance.now()
  }

  return async () => {
    const result = await evict(store, { windowMs: windowMs(), above: begun ? ENOUGH_AT : SHORT_ABOVE })
    if (result === null) return
    const { memory, events, failed, nothingLeft } = result
    const share = memory.usedBytes / memory.maxBytes
    begun = share > (begun || events > 0 ? ENOUGH_AT : SHORT_ABOVE)
    untold = { events: untold.events + events, failed: untold.failed + failed }
    tell(memory)
    if (!short && nothingLeft) {
      short = true
      report({ fact: 'redis.memory', state: 'short', ...memory })
    } else if (short && share <= ENOUGH_AT) {
      short = false
      report({ fact: 'redis.memory', state: 'enough', ...memory })
    }
  }
}
