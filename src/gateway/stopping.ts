/**
 * Whether the gateway is stopping, and how much of `shutdownGrace` is left: the
 * parts that stop one after the other share it. Their order is that of
 * `teardown`; what a stop does first is in `gateway.ts`.
 */
export interface Stopping {
  /** True from the first request to stop; `/readyz` and the listeners read it. */
  yet: () => boolean
  /** Announces that stopping has begun; accepting continues. */
  announce: () => void
  /** Starts the clock. */
  begin: (graceMs: number) => void
  /** Milliseconds, never below 0; 0 before `begin`. */
  leftMs: () => number
}

/** Makes the state of a gateway that is not stopping. */
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
