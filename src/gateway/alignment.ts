/**
 * Makes Redis and the workers match the configuration, as soon as Redis allows. A
 * reload while Redis is away applies to this process at once, and to Redis when
 * it is back.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from '../telemetry/log.js'
import { within } from '../time/within.js'

/** Maximum wait of a caller, milliseconds; then the work continues in the background. */
const PATIENCE_MS = 3_000
const RETRY_MS = 1_000

export interface Alignment {
  /** Aligns, now or later in the background. Never rejects. */
  align: () => Promise<void>
  /** Gives up unfinished work. */
  stop: () => void
}

/**
 * Wraps the work that aligns.
 *
 * @param work  may run repeatedly; the last run sees the running configuration
 */
export function createAlignment (work: () => Promise<void>, logger: Logger): Alignment {
  const stopped = new AbortController()
  let wanted = 0
  let loop: Promise<void> = Promise.resolve()

  async function untilDone (): Promise<void> {
    for (let done = 0; done < wanted && !stopped.signal.aborted;) {
      const goal = wanted
      try {
        await work()
        done = goal
      } catch (error) {
        if (stopped.signal.aborted) return
        logger.warn({ err: error }, 'the new configuration could not be applied yet; it will be tried again')
        await wait(RETRY_MS, undefined, { signal: stopped.signal }).catch(() => {})
      }
    }
  }

  return {
    async align () {
      wanted += 1
      loop = loop.then(untilDone)
      await within(PATIENCE_MS, loop, () => {})
    },
    stop () { stopped.abort() }
  }
}
