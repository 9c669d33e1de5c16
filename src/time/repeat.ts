/** Work in the background that is done again and again, one run after the other. */
import { setTimeout as wait } from 'node:timers/promises'

export interface Repeated {
  /** Begins the next run now, or right after the one under way. */
  wake (): void
  /** Begins no more runs; resolves when the one under way is over. Idempotent. */
  stop (): Promise<void>
}

export interface RepeatOptions {
  /** Between the end of a run and the beginning of the next, milliseconds; asked each time. */
  everyMs: () => number
  /** Called with what a run rejects with; the next one comes all the same. */
  failed: (error: unknown) => void
  /** Whether the first run begins at once instead of after `everyMs`. */
  now?: boolean
}

/** Begins. */
export function repeat (work: () => Promise<unknown>, { everyMs, failed, now = false }: RepeatOptions): Repeated {
  let isStopped = false
  let awake = new AbortController()
  const pause = async (): Promise<void> => { await wait(everyMs(), undefined, { signal: awake.signal }).catch(() => {}) }

  async function run (): Promise<void> {
    if (!now) await pause()
    while (!isStopped) {
      awake = new AbortController()
      await work().catch(failed)
      if (!isStopped) await pause()
    }
  }

  const running = run()
  return {
    wake () { awake.abort() },
    async stop () {
      isStopped = true
      awake.abort()
      await running
    }
  }
}
