/**
 * What a measure hands back, as it stands in the JSON.
 */
import { medianOf, spreadOf } from './quantiles.js'

/** At least or at most this, as `better` says; or within a band. */
export type Target = number | { from: number, to: number }

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
  target?: Target
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

/** How far a cost may rise or fall with what there is of something, and still be called flat: a quarter. */
const FLAT: Target = { from: 0.8, to: 1.25 }

/**
 * Whether a cost stays the same: that with least, of that with more, run by
 * run. Above 1 it falls.
 */
export function flatnessOf (what: Pick<Result, 'measure' | 'says'>, least: readonly number[], more: readonly number[]): Result {
  return ratioOf({ ...what, target: FLAT }, least, more)
}
