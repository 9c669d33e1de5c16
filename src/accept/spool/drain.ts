/**
 * Takes what lies in the spool down the way that every callback takes, while
 * new ones pass it by.
 *
 *   oldest file ──▶ a few records ──▶ accept ──▶ note how far ──▶ … ──▶ remove the file
 *
 * Works whenever there is something and Redis takes it, and sleeps otherwise.
 * What it passes over, and when, is decided in `drain-file`.
 */
import { FileDrain, type FileDrainOptions } from './drain-file.js'
import { createPause } from './pause.js'

/** After nothing of a batch was accepted, milliseconds; twice as long each time. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 30_000
/** While somebody else tries Redis. */
const TRIAL_WAIT_MS = 1_000

export interface Drain {
  /** There is something to drain, or Redis may take it now. */
  wake (): void
  /** Ends after the batch under way. Idempotent. */
  stop (): Promise<void>
}

function waitAfter (failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS)
}

/** Makes the drain; it sleeps until it is woken. */
export function createDrain (options: FileDrainOptions): Drain {
  const { stock, breaker, report } = options
  const files = new FileDrain(options)
  const pause = createPause()
  let running: Promise<void> | null = null
  let isWoken = false
  let isStopped = false
  let failures = 0

  async function drainFiles (): Promise<void> {
    // While the breaker is open, looking would close the file that is being written to, each time.
    while (!isStopped && breaker.state() !== 'open') {
      const segment = await stock.next()
      if (segment === null) return tellDrained()
      isWoken = false
      const result = await files.drain(segment)
      failures = result === 'failed' ? failures + 1 : 0
      if (result !== 'done' && !isWoken) await pause.take(result === 'open' ? TRIAL_WAIT_MS : waitAfter(failures))
    }
  }

  function tellDrained (): void {
    const { accepted, setAside } = files.takeTally()
    if (accepted + setAside > 0) report({ fact: 'spool.drained', callbacks: accepted, setAside })
  }

  async function run (): Promise<void> {
    while (isWoken && !isStopped) {
      isWoken = false
      await drainFiles()
    }
    running = null
  }

  return {
    wake () {
      isWoken = true
      pause.end()
      running ??= run()
    },
    async stop () {
      isStopped = true
      files.stop()
      pause.end()
      await running
    }
  }
}
