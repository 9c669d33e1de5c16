/**
 * Retention: deletes events that are over and old. It really deletes, in small
 * steps, and never touches an event with anything open or held.
 */
import type { Report } from '../model/fact.js'
import { loadScript, runScript } from '../redis/script.js'
import type { RecordStore } from './store.js'

const SWEEP = loadScript(new URL('./sweep.lua', import.meta.url))

/** Events deleted by one script. */
const STEP = 200
const ROUND_MS = 5_000

export interface SweepPolicy {
  /** After the last delivery of an event ended, none of them as failed; milliseconds. */
  eventsMs: number
  /** The same when one failed. */
  failedMs: number
  /** Claims are remembered this long whatever becomes of their events; milliseconds. */
  windowMs: number
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
        keys: [index, keys.events],
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

/** Sweeps every few seconds; several gateways may do so at once. */
export function createSweeper (store: RecordStore, { policy, report }: { policy: () => SweepPolicy, report: Report }): Sweeper {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let stopped = false

  async function round (): Promise<void> {
    try {
      const events = await sweep(store, policy())
      if (events > 0) report({ fact: 'record.swept', events })
    } catch (error) {
      report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) })
    }
    if (!stopped) schedule()
  }

  function schedule (): void {
    timer = setTimeout(() => { running = round() }, ROUND_MS)
  }

  return {
    start: schedule,
    async stop () {
      stopped = true
      clearTimeout(timer)
      await running
    }
  }
}
