/**
 * Notices a worker that has stopped taking jobs, and has it replaced. Nothing
 * we know of stops one; what we do not know of must not need a restart at
 * night.
 *
 * Looks twice before it does anything, and never while Redis does not answer:
 * then all of them wait, and a new one would wait as well.
 */

/** Between two ticks, milliseconds. */
const TICK_EVERY_MS = 5_000
/** Redis has answered when it answers within this, milliseconds. */
const ANSWER_WITHIN_MS = 1_000

export interface WatchdogOptions {
  /** Names of the workers that have moved no job, and asked for none, for too long. */
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

/** Begins to look. */
export function startWatchdog ({ stuck, askRedis, replace, tickEveryMs = TICK_EVERY_MS }: WatchdogOptions): Watchdog {
  let suspects = new Set<string>()
  let isTicking = false

  async function tick (): Promise<void> {
    if (stuck().length > 0 && !await answers(askRedis)) {
      suspects = new Set()
      return
    }
    const found = stuck()
    for (const name of found) if (suspects.has(name)) replace(name)
    suspects = new Set(found)
  }

  const timer = setInterval(() => {
    if (isTicking) return
    isTicking = true
    void tick().finally(() => { isTicking = false })
  }, tickEveryMs)
  return { stop () { clearInterval(timer) } }
}

async function answers (askRedis: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => { timer = setTimeout(() => { resolve(false) }, ANSWER_WITHIN_MS) })
  try {
    return await Promise.race([askRedis().then(() => true, () => false), late])
  } finally {
    clearTimeout(timer)
  }
}
