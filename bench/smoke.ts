/**
 * The bench as a test: whether a ratio has fallen far below the one that is
 * written down. Ratios hold on a noisy machine where absolute figures do not,
 * and a third is far more than what noise does to them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BenchDocument } from './report/document.js'

/** The ratios that are watched: how each half of the journey stands beside its ceiling. */
export const WATCHED = ['accept.of-bare', 'deliver.of-bare'] as const

/** A ratio may fall to this share of what it was. */
const KEPT = 2 / 3

const FILE = fileURLToPath(new URL('./baseline.json', import.meta.url))

/** Ratios by the name of their measure. */
export type Baseline = Record<string, number>

export function readBaseline (): Baseline {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Baseline
}

/**
 * Makes what a run found the one to compare with.
 *
 * @throws when it did not find everything that is watched; the file stays as it was
 */
export function writeBaseline (document: Pick<BenchDocument, 'ratios' | 'failures'>, file = FILE): void {
  const found = ratiosOf(document)
  const missing = WATCHED.filter(measure => found[measure] === undefined)
  if (missing.length > 0) throw new Error(`the baseline stays as it was: ${missing.join(' and ')} not measured`)
  writeFileSync(file, JSON.stringify(found, null, 2) + '\n')
}

/** Of the watched ratios those that a run found, to two digits. */
export function ratiosOf (document: Pick<BenchDocument, 'ratios'>): Baseline {
  const watched: readonly string[] = WATCHED
  return Object.fromEntries(document.ratios
    .filter(({ measure }) => watched.includes(measure))
    .map(({ measure, median }) => [measure, Math.round(median * 100) / 100]))
}

export interface Verdict<D> {
  /** The run that was judged: the second one when there were two. */
  document: D
  /** A sentence for each thing that is wrong. */
  fallen: string[]
}

/**
 * Runs the bench, and once more when something has fallen: once may be chance,
 * since something else may have had the machine.
 */
export async function judge<D extends Pick<BenchDocument, 'ratios' | 'failures'>> (
  baseline: Baseline, run: () => Promise<D>
): Promise<Verdict<D>> {
  const first = await run()
  if (fallenBelow(baseline, first).length === 0) return { document: first, fallen: [] }
  const document = await run()
  return { document, fallen: fallenBelow(baseline, document) }
}

/**
 * What has fallen.
 *
 * @returns a sentence for each ratio that is missing or more than a third below; none when all is well
 */
export function fallenBelow (baseline: Baseline, { ratios, failures }: Pick<BenchDocument, 'ratios' | 'failures'>): string[] {
  const failed = Object.entries(failures).map(([measure, why]) => `${measure} did not come to an end: ${why}`)
  const found = ratiosOf({ ratios })
  const fallen = WATCHED.flatMap(measure => {
    const [now, before] = [found[measure], baseline[measure]]
    if (now === undefined || before === undefined) return [`${measure} is not ${now === undefined ? 'measured' : 'in bench/baseline.json'}`]
    return now < before * KEPT ? [`${measure} is ${now}, more than a third below ${before}`] : []
  })
  return [...failed, ...fallen]
}
