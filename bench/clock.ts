/**
 * The one clock of the bench: monotonic, and the same in every process of a
 * machine, so that a time written by the load generator can be compared with
 * one read by a subscriber.
 */

/** Microseconds since some moment in the past. */
export function nowUs (): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
