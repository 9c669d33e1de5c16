/**
 * Retention: deletes events that are over and old, and earlier when memory is
 * short. It really deletes, in small steps, and never touches an event with
 * anything open or held. Beside that it looks for what cannot be read.
 */
import type { Report } from '../model/fact.js'
import { runScript } from '../redis/script.js'
import { repeat, type Repeated } from '../time/repeat.js'
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

export interface SweepPolicy extends ClaimsPolicy {
  /** After the last delivery of an event ended, none of them as failed; milliseconds. */
  eventsMs: number
  /** The same when one failed. */
  failedMs: number
}

/**
 * Deletes everything whose time is over.
 *
 * @returns how many events went
 */
export async function sweep ({ redis, keys }: RecordStore, policy: SweepPolicy): Promise<number> {
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
    } while (seen === STEP)
  }
  return total
}

export interface Sweeper {
  start (): void
  stop (): Promise<void>
}

/** Sweeps, and makes room, in the background; several gateways may do so at once. */
export function createSweeper (store: RecordStore, { policy, report }: { policy: () => SweepPolicy, report: Report }): Sweeper {
  const evict = createEvictor(store, { windowMs: () => policy().windowMs, report })
  const sweepClaims = createClaimsSweeper(store, { policy, report })
  const examine = createExaminer(store, { report })
  let sweptAt = performance.now()
  let sweptClaimsAt = -Infinity
  let waitMs = ROUND_EVERY_MS
  let rounds: Repeated | undefined

  async function work (): Promise<void> {
    await evict()
    if (performance.now() - sweptClaimsAt >= SWEEP_CLAIMS_EVERY_MS) {
      sweptClaimsAt = performance.now()
      await sweepClaims()
    }
    if (performance.now() - sweptAt < SWEEP_EVERY_MS) return
    sweptAt = performance.now()
    const events = await sweep(store, policy())
    if (events > 0) report({ fact: 'record.swept', events })
    await examine()
  }

  return {
    start () {
      rounds = repeat(async () => {
        waitMs = AFTER_TROUBLE_MS
        await work()
        waitMs = ROUND_EVERY_MS
      }, {
        everyMs: () => waitMs,
        failed (error) { report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) }) }
      })
    },
    async stop () { await rounds?.stop() }
  }
}
