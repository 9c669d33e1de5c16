/**
 * What changed between two runs: a difference counts only when the runs of
 * the one lie wholly beside the runs of the other.
 */
import type { Environment } from '../environment.js'
import type { Result } from '../result.js'
import type { BenchDocument } from './document.js'
import { columns, figure } from './table.js'

export type Change = 'better' | 'worse' | 'within noise'

/** Judges one measure by its runs. A single run has no noise to compare with, so it needs a difference of 5 %. */
export function changeOf (before: Result, after: Result): Change {
  const apart = Math.min(...after.runs) > Math.max(...before.runs) || Math.max(...after.runs) < Math.min(...before.runs)
  const single = before.runs.length === 1 || after.runs.length === 1
  const share = Math.abs(after.median / before.median - 1)
  if (!apart || (single && share < 0.05)) return 'within noise'
  return (after.median > before.median) === (after.better === 'more') ? 'better' : 'worse'
}

/** A table of both, ratios first: they are what holds between machines. */
export function comparisonOf (before: BenchDocument, after: BenchDocument): string {
  const old = new Map([...before.results, ...before.ratios].map(result => [result.measure, result]))
  const rows = [...after.ratios, ...after.results].map(result => {
    const former = old.get(result.measure)
    old.delete(result.measure)
    if (former === undefined) return [result.says, '–', figure(result.median), '', 'new']
    const share = (result.median / former.median - 1) * 100
    return [result.says, figure(former.median), figure(result.median), `${share >= 0 ? '+' : ''}${share.toFixed(1)} %`, changeOf(former, result)]
  })
  for (const gone of old.values()) rows.push([gone.says, figure(gone.median), '–', '', 'not measured'])
  const differences = environmentChanges(before, after)
  return [
    `compared with ${before.startedAt} (${before.environment.commit})`,
    ...differences.map(text => `  differs: ${text}`),
    '',
    columns([['', 'before', 'now', 'change', ''], ...rows])
  ].join('\n') + '\n'
}

const LOOKED_AT: ReadonlyArray<keyof Environment> = ['node', 'redis', 'bullmq', 'system', 'cpu', 'cores', 'fileSystem', 'bodyBytes', 'logLevel']

function environmentChanges (before: BenchDocument, after: BenchDocument): string[] {
  const texts = LOOKED_AT
    .filter(key => before.environment[key] !== after.environment[key])
    .map(key => `${key} ${before.environment[key]} → ${after.environment[key]}`)
  return before.mode === after.mode ? texts : [`${before.mode} run → ${after.mode} run`, ...texts]
}
