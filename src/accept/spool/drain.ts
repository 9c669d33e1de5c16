/**
 * Accepts the callbacks of the spool in the same way as every callback, while new
 * ones go straight to Redis.
 *
 *   oldest file ──▶ a few records ──▶ accept ──▶ note how far ──▶ … ──▶ remove the file
 *
 * Works while callbacks wait and Redis accepts them, and sleeps otherwise.
 * `drain-file` decides which records to skip, and when.
 */
import { FileDrain, type FileDrainOptions } from './drain-file.js'
import { createPause } from './pause.js'

/** Wait after a batch of which nothing was accepted, milliseconds; doubled each time. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 30_000
/** Wait while another call tries Redis, milliseconds. */
const TRIAL_WAIT_MS = 1_000

export interface Drain {
  /** There may be something to drain, or Redis may be back. */
  wake (): void
  /** Stops after the batch in flight. Idempotent. */
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
    // While the breaker is open, a look would close the file that is being written to, each time.
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
