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

/** Makes an empty stack. */
export function createTeardown (logger: Logger): Teardown {
  const entries: Array<{ name: string, stop: () => Promise<void> | void }> = []
  let done: Promise<void> | null = null

  async function stopAll (): Promise<void> {
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      const started = performance.now()
      try {
        await entry.stop()
        logger.debug({ part: entry.name, ms: Math.round(performance.now() - started) }, 'stopped')
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
