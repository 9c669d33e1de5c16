/**
 * Whether the gateway is stopping, and how much of `shutdownGrace` is left:
 * the parts that stop one after the other share it.
 */
export interface Stopping {
  /** From the first request to stop; `/readyz` and the listeners look here. */
  yet: () => boolean
  /** Says that stopping has begun; accepting goes on. */
  announce: () => void
  /** Starts the clock. */
  begin: (graceMs: number) => void
  /** Milliseconds, never below 0; 0 before `begin`. */
  leftMs: () => number
}

/** A gateway that is not stopping. */
export function createStopping (): Stopping {
  let announced = false
  let end = -Infinity
  return {
    yet: () => announced,
    announce () { announced = true },
    begin (graceMs) { end = performance.now() + graceMs },
    leftMs: () => Math.max(0, end - performance.now())
  }
}
