/**
 * What is remembered of events that have been deleted, so that a repeat stays
 * a repeat: bounded in time by `dedupe.window`, and in memory by a part of
 * Redis's, of which the oldest claims are given up first.
 *
 *   event deleted ──▶ claim in the bucket of its time ──▶ the whole bucket goes
 *
 * `claims.lua` says how they lie in Redis. Other parts of a gateway never see
 * them: they ask the record whether something is a repeat.
 */
import type { Report } from '../model/fact.js'
import { CLAIM_BYTES, CLAIMS_PART, type DedupePolicy } from '../model/dedupe.js'
import { scanKeys } from '../redis/scan.js'
import { runScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const SWEEP_CLAIMS = loadRecordScript(new URL('./sweep-claims.lua', import.meta.url))
const GATHER_CLAIMS = loadRecordScript(new URL('./collect-claims.lua', import.meta.url))

/** Shards deleted by one script: a few milliseconds of Redis's time. */
const STEP = 1_000
/** Tasks that are looked at by one script. */
const TASKS_PER_STEP = 50
/** Keys that one step of the walk looks at. */
const SCANNED = 500
/** For so long a round gathers, milliseconds. */
const GATHER_MS = 100

/** For how long and in how much memory claims are kept. */
export interface ClaimsPolicy extends Pick<DedupePolicy, 'windowMs'> {
  /** {@link CLAIMS_PART} of Redis's memory when null or left out; without limit where Redis has none. */
  claimsMemoryBytes?: number | null
}

/** What is remembered of deleted events. */
export interface Claims {
  claims: number
  /** How many there may be; `null` when there is no limit, or nobody has looked yet. */
  mostClaims: number | null
  /** Claims made before, epoch milliseconds, have been given up although their time was not over; `null` when none were. */
  forgottenBefore: number | null
}

/** With how long they have been gathering. */
export interface ClaimsRead extends Claims {
  /** Since when there are some, epoch milliseconds; `null` without any. */
  oldestAt: number | null
}

/** What one round did. */
export interface ClaimsSwept extends Claims {
  /** Claims that were given up. */
  givenUp: number
  /** Tasks have to be looked at by {@link collectClaims}. */
  toGather: boolean
}

/**
 * Removes claims whose time is over, and the oldest while there are too many;
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

/** Reads how much is remembered. */
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
 * Makes claims of what tasks know of events that are gone: an earlier release
 * left it with the task, where it can be neither given up nor shortened, and so
 * does an import. Looks at every task once, in steps; works on a full Redis.
 *
 * @throws what ioredis throws
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

/** Has every task looked at again: some know of events that never came. */
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
 * Makes the function that does one round: it removes claims, gathers some, and
 * tells what was given up. A round of a large record that has to be gathered
 * takes no longer than {@link GATHER_MS}; the next goes on.
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
