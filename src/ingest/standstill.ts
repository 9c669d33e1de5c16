/**
 * Whether this process stood still lately: paused by its machine, or kept busy
 * for seconds. What is late then is late because of us.
 */

/** Anything shorter is no reason for a request to be late, milliseconds. */
const STANDSTILL_MS = 1_000
const TICK_MS = 250

export interface Standstill {
  /** Whether it stood still at any time within the last so many milliseconds. */
  within (ms: number): boolean
  stop (): void
}

/** Begins to watch; keeps no process alive. */
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
      tick() // who asks may be called before our timer is, right after a standstill
      return performance.now() - endedAt <= ms
    },
    stop () { clearInterval(timer) }
  }
}
