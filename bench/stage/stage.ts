/**
 * Everything that a measure starts, and the promise that it ends: each thing
 * says how to stop it, and all are stopped in reverse, also when a measure
 * fails, takes too long, or is interrupted.
 */

/** Nothing may take longer to stop; then the next is stopped. Milliseconds. */
const STOP_WITHIN_MS = 15_000

export interface Stage {
  /** Remembers how to stop something. On a stage that is closed it is stopped at once. */
  add (stop: () => Promise<unknown> | void): void
  /** Stops everything, the newest first. Idempotent; never rejects. */
  close (): Promise<void>
}

/** An empty stage. */
export function openStage (): Stage {
  const stops: Array<() => Promise<unknown> | void> = []
  let closing: Promise<void> | null = null

  async function closeAll (): Promise<void> {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stopWithin(stop)
  }

  return {
    add (stop) {
      if (closing === null) stops.push(stop)
      else closing = closing.then(async () => { await stopWithin(stop) })
    },
    async close () {
      closing ??= closeAll()
      await closing
    }
  }
}

async function stopWithin (stop: () => Promise<unknown> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => { timer = setTimeout(resolve, STOP_WITHIN_MS) })
  try {
    await Promise.race([stop(), late])
  } catch { /* it was gone already */ } finally {
    clearTimeout(timer)
  }
}
