/**
 * What has been started, so that it can be stopped in reverse.
 *
 * Every entry has a name and is stopped even when the one before it failed;
 * nothing is stopped twice.
 */
import type { Logger } from '../telemetry/log.js'

export interface Teardown {
  /** Remembers how to stop something that has just been started. */
  push (name: string, stop: () => Promise<void> | void): void
  /** Stops everything, last started first. Later calls wait for the first. Never rejects. */
  run (): Promise<void>
}

/** However little time is left, each part gets this much, milliseconds. */
const LEAST_MS = 500

/** Makes an empty stack; a part that takes longer than `leftMs` tells is left behind, so that the next ones have their turn. */
export function createTeardown (logger: Logger, leftMs: () => number): Teardown {
  const entries: Array<{ name: string, stop: () => Promise<void> | void }> = []
  let done: Promise<void> | null = null

  async function stopAll (): Promise<void> {
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      const started = performance.now()
      try {
        const ended = await within(Math.max(LEAST_MS, leftMs()), entry.stop)
        const ms = Math.round(performance.now() - started)
        if (ended) logger.debug({ part: entry.name, ms }, 'stopped')
        else logger.warn({ part: entry.name, ms }, 'did not stop in time')
      } catch (error) {
        logger.error({ part: entry.name, err: error }, 'could not be stopped cleanly')
      }
    }
  }

  return {
    push (name, stop) { entries.push({ name, stop }) },
    async run () { await (done ??= stopAll()) }
  }
}

/** Whether `stop` ended in time. It goes on, unheard, when it did not: what it waits for is closed after it. */
async function within (ms: number, stop: () => Promise<void> | void): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => { timer = setTimeout(resolve, ms, false) })
  const stopping = (async () => { await stop(); return true })()
  stopping.catch(() => {}) // it is heard below, unless it is late
  try {
    return await Promise.race([stopping, late])
  } finally {
    clearTimeout(timer)
  }
}
