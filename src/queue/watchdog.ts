/**
 * Notices a worker that has stopped taking jobs, and replaces it. We know no cause
 * for that, but an unknown cause must not need a restart at night.
 *
 * Checks twice before it acts, and never while Redis does not answer: then all
 * workers wait, and a new one would wait too.
 */
import { repeat } from '../time/repeat.js'
import { within } from '../time/within.js'

/** Between two ticks, milliseconds. */
const TICK_EVERY_MS = 5_000
/** Redis must answer within this time, milliseconds. */
const ANSWER_WITHIN_MS = 1_000

export interface WatchdogOptions {
  /** Names of the workers that have neither moved a job nor asked for one for too long. */
  stuck: () => string[]
  /** Resolves when Redis answers. */
  askRedis: () => Promise<unknown>
  replace: (name: string) => void
  tickEveryMs?: number
}

export interface Watchdog {
  /** Idempotent. */
  stop (): void
}

/** Starts the watchdog. */
export function startWatchdog ({ stuck, askRedis, replace, tickEveryMs = TICK_EVERY_MS }: WatchdogOptions): Watchdog {
  let suspects = new Set<string>()

  async function tick (): Promise<void> {
    if (stuck().length > 0 && !await within(ANSWER_WITHIN_MS, askRedis().then(() => true, () => false), () => false)) {
      suspects = new Set()
      return
    }
    const found = stuck()
    for (const name of found) if (suspects.has(name)) replace(name)
    suspects = new Set(found)
  }

  const ticks = repeat(tick, { everyMs: () => tickEveryMs, failed: () => {} })
  return { stop () { void ticks.stop() } }
}
