/**
 * Retention: deletes events that are over and old, and earlier when memory is
 * short. It really deletes, in small steps, and never touches an event with
 * anything open or held. Beside that it looks for what cannot be read.
 *
 * Of all replicas one sweeps, for as long as it holds the lease; a stop ends it
 * between two steps.
 */
import type { Report } from '../model/fact.js'
import { createLease } from '../redis/lease.js'
import { runScript } from '../redis/script.js'
import { repeat, type Repeated } from '../time/repeat.js'
import { within } from '../time/within.js'
import { createClaimsSweeper, type ClaimsPolicy } from './claims.js'
import { createEvictor } from './evict.js'
import { createExaminer } from './examine.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const SWEEP = loadRecordScript(new URL('./sweep.lua', import.meta.url))

/** Events deleted by one script. */
const STEP = 200
/** How often memory is looked at, milliseconds: a burst must not fill what is kept free before anybody looks. */
const ROUND_EVERY_MS = 200
/** How often what is old is looked for, milliseconds. */
const SWEEP_EVERY_MS = 5_000
/** What is wrong with Redis is not told five times a second. */
const AFTER_TROUBLE_MS = 5_000

/** The same for claims: a shorter window is in force at once. */
const SWEEP_CLAIMS_EVERY_MS = 1_000

/** When a replica that sweeps dies, another does after this long at the latest. */
const LEASE_MS = 5_000
/** How often another replica asks for the lease. */
const ASK_EVERY_MS = 1_000
/** How long a stop waits for the step under way. Without Redis it never ends, and whoever sweeps next repeats it. */
const LAST_STEP_MS = 1_000

/** Whether to go on after a step: nobody has stopped it, and the lease is still held. */
type MayGoOn = () => Promise<boolean>

export interface SweepPolicy extends ClaimsPolicy {
  /** After the last delivery of an event ended, none of them as failed; milliseconds. */
  eventsMs: number
  /** The same when one failed. */
  failedMs: number
}

/**
 * Deletes everything whose time is over.
 *
 * @param mayGoOn  asked between two steps
 * @returns        how many events went
 */
export async function sweep ({ redis, keys }: RecordStore, policy: SweepPolicy, mayGoOn: MayGoOn = async () => true): Promise<number> {
  const indexes: Array<[string, number]> = [[keys.ended, policy.eventsMs], [keys.endedFailed, policy.failedMs]]
  let total = 0
  for (const [index, retentionMs] of indexes) {
    let seen
    do {
      const reply = await runScript(redis, SWEEP, {
        keys: [index],
        args: [`{${keys.prefix}}:`, retentionMs, policy.windowMs, STEP]
      }) as [number, number]
      total += reply[0]
      seen = reply[1]
      if (!await mayGoOn()) return total
    } while (seen === STEP)
  }
  return total
}

export interface Sweeper {
  start (): void
  /** Waits for the step under way and no other. */
  stop (): Promise<void>
}

export interface SweeperOptions {
  policy: () => SweepPolicy
  report: Report
  /** How often what is old is looked for, milliseconds; {@link SWEEP_EVERY_MS} when left out. */
  sweepEveryMs?: number
}

/** Makes what sweeps, and makes room, in the background, while no other gateway does. */
export function createSweeper (store: RecordStore, { policy, report, sweepEveryMs = SWEEP_EVERY_MS }: SweeperOptions): Sweeper {
  const lease = createLease(store.redis, store.keys.sweepLease, LEASE_MS)
  let isStopped = false
  const mayGoOn: MayGoOn = async () => !isStopped && await lease.hold()
  const evict = createEvictor(store, { windowMs: () => policy().windowMs, mayGoOn, report })
  const sweepClaims = createClaimsSweeper(store, { policy, mayGoOn, report })
  const examine = createExaminer(store, { report })
  let sweptAt = performance.now()
  let sweptClaimsAt = -Infinity
  let waitMs = ROUND_EVERY_MS
  let rounds: Repeated | undefined

  async function work (): Promise<void> {
    await evict()
    if (performance.now() - sweptClaimsAt >= SWEEP_CLAIMS_EVERY_MS && await mayGoOn()) {
      sweptClaimsAt = performance.now()
      await sweepClaims()
    }
    if (performance.now() - sweptAt < sweepEveryMs || !await mayGoOn()) return
    sweptAt = performance.now()
    const events = await sweep(store, policy(), mayGoOn)
    if (events > 0) report({ fact: 'record.swept', events })
    await examine()
  }

  async function round (): Promise<void> {
    waitMs = AFTER_TROUBLE_MS
    const isMine = await mayGoOn()
    if (isMine) await work()
    waitMs = isMine ? ROUND_EVERY_MS : ASK_EVERY_MS
  }

  async function end (): Promise<void> {
    await rounds?.stop()
    await lease.release().catch(() => {}) // it ends by itself
  }

  return {
    start () {
      rounds = repeat(round, {
        everyMs: () => waitMs,
        failed (error) {
          if (!isStopped) report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) })
        }
      })
    },
    async stop () {
      isStopped = true
      await within(LAST_STEP_MS, end(), () => {})
    }
  }
}
