/**
 * Figures from samples, without any assumption about how they are spread.
 */

/** Milliseconds. */
export interface Quantiles { count: number, p50: number, p99: number, max: number }

/** Sorts the samples in place. NaN when there is none. */
export function quantilesOf (samplesMs: number[]): Quantiles {
  samplesMs.sort((a, b) => a - b)
  const at = (share: number): number => samplesMs[Math.min(samplesMs.length - 1, Math.floor(samplesMs.length * share))] ?? NaN
  return { count: samplesMs.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** The middle one, or the mean of the two in the middle. */
export function medianOf (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** From the lowest to the highest, as a share of the median. */
export function spreadOf (values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / medianOf(values)
}
