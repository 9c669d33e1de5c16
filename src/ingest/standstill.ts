/**
 * Whether this process stood still recently: its machine paused, or something
 * kept it busy for seconds. A request that is late then is late because of us.
 */

/** A shorter standstill is no reason for a late request, milliseconds. */
const STANDSTILL_MS = 1_000
const TICK_MS = 250

export interface Standstill {
  /** Whether the process stood still at any time within the last `ms` milliseconds. */
  within (ms: number): boolean
  stop (): void
}

/** Begins to watch; does not keep the process alive. */
export function watchStandstill (): Standstill {
  let tickedAt = performance.now()
  let endedAt = -Infinity
  function tick (): void {
    const now = performance.now()
    if (now - tickedAt > TICK_MS + STANDSTILL_MS) endedAt = now
    tickedAt = now
  }
  const timer = setInterval(tick, TICK_MS).unref()
  return {
    within (ms) {
      tick() // right after a standstill, the caller may run before our timer does
      return performance.now() - endedAt <= ms
    },
    stop () { clearInterval(timer) }
  }
}
