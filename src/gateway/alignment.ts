/**
 * Makes Redis and the workers follow the configuration, as soon as Redis
 * allows. A reload while Redis is away takes effect in this process at once,
 * and here when Redis is back.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from '../telemetry/log.js'
import { within } from '../time/within.js'

/** How long a caller waits; after that it goes on in the background. */
const PATIENCE_MS = 3_000
const RETRY_MS = 1_000

export interface Alignment {
  /** Aligns, or sees to it that it will be done. Never rejects. */
  align: () => Promise<void>
  /** Gives up what is not done yet. */
  stop: () => void
}

/**
 * Wraps what aligns.
 *
 * @param work  may be run again and again; the last run sees the running configuration
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
