/**
 * What a measure hands back, as it stands in the JSON.
 */
import { medianOf, spreadOf } from './quantiles.js'

export interface Result {
  /** Stable name: `accept.events-per-second`. */
  measure: string
  /** One line for a person. */
  says: string
  /** `events/s`, `ms`, `bytes`, … or `ratio`. */
  unit: string
  better: 'more' | 'less'
  /** One value per run, in order. */
  runs: number[]
  median: number
  /** From the lowest run to the highest, as a share of the median. */
  spread: number
  /** What it should be on an idle machine like the one in docs/performance.md. */
  target?: number
  /** What helps to read it. */
  details?: Record<string, unknown>
}

/** Makes a result of the values of its runs. */
export function resultOf (what: Omit<Result, 'median' | 'spread'>): Result {
  return { ...what, median: medianOf(what.runs), spread: spreadOf(what.runs) }
}

/** Compares two contestants run by run, so that what the machine did to both meanwhile cancels out. */
export function ratioOf (what: Pick<Result, 'measure' | 'says' | 'target'>, ours: readonly number[], theirs: readonly number[]): Result {
  return resultOf({ ...what, unit: 'ratio', better: 'more', runs: ours.map((value, run) => value / theirs[run]!) })
}

/** How far a cost may rise, or fall, with what there is of something, and still be called flat. */
export const FLAT = 0.8

/**
 * Whether a cost stays the same: that with least, of that with most. Above 1 it falls.
 */
export function flatnessOf (what: Pick<Result, 'measure' | 'says'>, least: readonly number[], most: readonly number[]): Result {
  return ratioOf({ ...what, target: FLAT }, [medianOf(least)], [medianOf(most)])
}
