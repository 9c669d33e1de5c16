/**
 * The started parts, to be stopped in reverse order: what stops after what at a
 * SIGTERM.
 *
 * Every entry has a name and is stopped even if the one before it failed. Nothing
 * is stopped twice.
 */
import type { Logger } from '../telemetry/log.js'
import { within } from '../time/within.js'

export interface Teardown {
  /** Stores how to stop a part that has just been started. */
  push (name: string, stop: () => Promise<void> | void): void
  /** Stops everything, last started first. Later calls wait for the first. Never rejects. */
  run (): Promise<void>
}

/** Minimum time of each part, however little is left, milliseconds. */
const LEAST_MS = 500

/** Makes an empty stack. A part that takes longer than `leftMs` is left behind, so that the next ones have their turn. */
export function createTeardown (logger: Logger, leftMs: () => number): Teardown {
  const entries: Array<{ name: string, stop: () => Promise<void> | void }> = []
  let done: Promise<void> | null = null

  async function stopAll (): Promise<void> {
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      const started = performance.now()
      try {
        const stopping = (async () => { await entry.stop(); return true })()
        const ended = await within(Math.max(LEAST_MS, leftMs()), stopping, () => false)
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
