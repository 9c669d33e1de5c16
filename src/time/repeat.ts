/** Background work that runs again and again, one run after the other. */
import { setTimeout as wait } from 'node:timers/promises'

export interface Repeated {
  /** Starts the next run now, or right after the present one. */
  wake (): void
  /** Starts no more runs; resolves when the present one has ended. Idempotent. */
  stop (): Promise<void>
}

export interface RepeatOptions {
  /** Between the end of a run and the beginning of the next, milliseconds; read each time. */
  everyMs: () => number
  /** Called with the error of a run; the next run still comes. */
  failed: (error: unknown) => void
  /** Whether the first run begins at once instead of after `everyMs`. */
  now?: boolean
}

/** Starts the work. */
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
