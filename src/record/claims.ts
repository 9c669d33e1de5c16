/**
 * The claims of deleted events, by which their duplicates are still recognised:
 * limited in time by `dedupe.window`, and in memory by a share of Redis's. The
 * oldest claims are given up first.
 *
 *   event deleted ──▶ claim in the bucket of its time ──▶ the whole bucket goes
 *
 * `claims.lua` describes how they are stored. Other parts of the gateway do not
 * see them: they ask the record whether something is a duplicate.
 */
import type { Report } from '../model/fact.js'
import { CLAIM_BYTES, CLAIMS_PART, type DedupePolicy } from '../model/dedupe.js'
import { scanKeys } from '../redis/scan.js'
import { runScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const SWEEP_CLAIMS = loadRecordScript(new URL('./sweep-claims.lua', import.meta.url))
const GATHER_CLAIMS = loadRecordScript(new URL('./collect-claims.lua', import.meta.url))

/** Shards per script: a few milliseconds of Redis's time. */
const STEP = 1_000
/** Tasks per script. */
const TASKS_PER_STEP = 50
/** Keys per step of the walk. */
const SCANNED = 500
/** Maximum duration of collecting in one round, milliseconds. */
const GATHER_MS = 100

/** How long claims are kept, and in how much memory. */
export interface ClaimsPolicy extends Pick<DedupePolicy, 'windowMs'> {
  /** {@link CLAIMS_PART} of Redis's memory if null or absent; no limit if Redis has none. */
  claimsMemoryBytes?: number | null
}

/** The claims of deleted events, in numbers. */
export interface Claims {
  claims: number
  /** Maximum number of claims; `null` if there is no limit, or it has not been determined yet. */
  mostClaims: number | null
  /** Claims from before this time, epoch milliseconds, were given up before their window ended; `null` if none were. */
  forgottenBefore: number | null
}

/** With the time during which they have been made. */
export interface ClaimsRead extends Claims {
  /** Time of the oldest, epoch milliseconds; `null` without any. */
  oldestAt: number | null
}

/** The result of one round. */
export interface ClaimsSwept extends Claims {
  /** Number of claims given up. */
  givenUp: number
  /** Tasks must be read by {@link collectClaims}. */
  toGather: boolean
}

/**
 * Removes claims whose window has ended, and the oldest while there are too many;
 * works on a full Redis.
 *
 * @param mayGoOn  asked between two steps
 * @throws         what ioredis throws
 */
export async function sweepClaims (
  { redis, keys }: RecordStore, { windowMs, claimsMemoryBytes = null }: ClaimsPolicy, mayGoOn: () => Promise<boolean> = async () => true
): Promise<ClaimsSwept> {
  let givenUp = 0
  for (;;) {
    const [more, shards, claims, most, forgotten, toGather] = await runScript(redis, SWEEP_CLAIMS, {
      keys: [keys.claims, keys.stats],
      args: [`{${keys.prefix}}:`, windowMs, claimsMemoryBytes ?? '', CLAIMS_PART, CLAIM_BYTES, STEP]
    }) as [number, number, number, number, number, number]
    givenUp += more
    if (shards < STEP || !await mayGoOn()) {
      return {
        givenUp,
        claims,
        mostClaims: most < 0 ? null : most,
        forgottenBefore: forgotten === 0 ? null : forgotten,
        toGather: toGather === 1
      }
    }
  }
}

/** Reads the number of claims. */
export async function readClaims ({ redis, keys }: RecordStore): Promise<ClaimsRead> {
  const list = await redis.hgetall(keys.claims)
  const buckets = Object.entries(list).filter(([name]) => name.startsWith('b:')).map(([, value]) => value.split(' ').map(Number))
  const numberOf = (name: string): number | null => list[name] === undefined ? null : Number(list[name])
  return {
    claims: buckets.reduce((sum, bucket) => sum + bucket.at(-1)!, 0),
    mostClaims: numberOf('most'),
    forgottenBefore: numberOf('forgotten'),
    oldestAt: buckets.length === 0 ? null : Math.min(...buckets.map(([from]) => from!))
  }
}

/**
 * Turns what tasks know of deleted events into claims: an earlier release left it
 * with the task, where it can be neither given up nor shortened, and so does an
 * import. Reads every task once, in steps; works on a full Redis.
 *
 * @throws errors of ioredis
 */
export async function * collectClaims ({ redis, keys }: RecordStore, windowMs: () => number): AsyncGenerator<void> {
  const look = async (tasks: readonly string[], place: 'begin' | 'end' | ''): Promise<void> => {
    await runScript(redis, GATHER_CLAIMS, { keys: [keys.claims, ...tasks], args: [`{${keys.prefix}}:`, windowMs(), place] })
  }
  await look([], 'begin')
  for (const start of [keys.task(''), keys.testTask('')]) {
    for await (const found of scanKeys(redis, start, SCANNED)) {
      for (let at = 0; at < found.length; at += TASKS_PER_STEP) {
        await look(found.slice(at, at + TASKS_PER_STEP), '')
        yield
      }
    }
  }
  await look([], 'end')
}

/** Makes every task be read again: some know of events that do not exist. */
export async function collectClaimsAnew ({ redis, keys }: RecordStore): Promise<void> {
  await redis.hdel(keys.claims, 'gathered')
}

export interface ClaimsSweeperOptions {
  policy: () => ClaimsPolicy
  /** Asked between two steps of a round; always, when left out. */
  mayGoOn?: () => Promise<boolean>
  report: Report
}

/**
 * Makes the function that does one round: it removes claims, collects some, and
 * reports those that were given up. In a large record, a round takes no longer
 * than {@link GATHER_MS}; the next one continues.
 */
export function createClaimsSweeper (store: RecordStore, { policy, mayGoOn = async () => true, report }: ClaimsSweeperOptions): () => Promise<void> {
  let gathering: AsyncGenerator<void> | null = null
  return async () => {
    const { givenUp, forgottenBefore, toGather } = await sweepClaims(store, policy(), mayGoOn)
    if (givenUp > 0) report({ fact: 'record.claims-given-up', claims: givenUp, before: forgottenBefore! })
    if (!toGather) return
    gathering ??= collectClaims(store, () => policy().windowMs)
    try {
      const endsAt = performance.now() + GATHER_MS
      while (performance.now() < endsAt && await mayGoOn()) {
        if ((await gathering.next()).done !== true) continue
        gathering = null
        return
      }
    } catch (error) {
      gathering = null
      throw error
    }
  }
}
