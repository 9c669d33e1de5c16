/**
 * Results as a table for a terminal.
 */
import type { Result } from '../result.js'
import type { BenchDocument } from './document.js'

/** A figure as people write it: three digits that count. */
export function figure (value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}

/** A share as per cent. */
export function percent (share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(0)} %` : '–'
}

/** Lines of columns, the first two to the left and the others to the right. */
export function columns (rows: string[][]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map(row => row[at]!.length)))
  return rows.map(row => row.map((cell, at) =>
    at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join('  ').trimEnd()).join('\n')
}

/** The whole document. */
export function tableOf ({ environment, mode, seconds, results, ratios, failures, loadBefore }: BenchDocument): string {
  const { cpu, cores, node, redis, commit, loadAverage, fileSystem } = environment
  const loads = Object.values(loadBefore)
  const lines = [
    `fotor-relay ${environment.version} (${commit}), ${mode} run, ${Math.round(seconds)} s`,
    `${cores} × ${cpu}, Node ${node}, Redis ${redis} appendfsync always, file system ${fileSystem}`,
    `load average ${loadAverage.toFixed(2)} before, up to ${Math.max(0, ...loads).toFixed(2)} between measures (the bench itself included)`,
    '',
    columns([['figure', 'median', 'unit', 'spread', 'target', ''], ...results.map(row)]),
    '',
    columns([['ratio (run by run)', 'median', 'lowest', 'highest', 'target', ''], ...ratios.map(ratioRow)])
  ]
  for (const [measure, why] of Object.entries(failures)) lines.push('', `${measure} FAILED: ${why}`)
  return lines.join('\n') + '\n'
}

function row (result: Result): string[] {
  const { says, median, unit, spread, runs } = result
  return [says, figure(median), unit, runs.length > 1 ? percent(spread) : 'one run', targetOf(result), missed(result)]
}

function ratioRow (result: Result): string[] {
  const { says, median, runs } = result
  return [says, median.toFixed(2), Math.min(...runs).toFixed(2), Math.max(...runs).toFixed(2), targetOf(result), missed(result)]
}

/** `≥ 0.9`, `≤ 15` or `0.8–1.25`. */
function targetOf ({ target, better }: Result): string {
  if (target === undefined) return ''
  if (typeof target === 'object') return `${target.from}–${target.to}`
  return `${better === 'more' ? '≥' : '≤'} ${target.toLocaleString('en')}`
}

/** Says so when the median misses its target. */
function missed ({ target, better, median }: Result): string {
  if (target === undefined) return ''
  const [from, to] = typeof target === 'object' ? [target.from, target.to] : better === 'more' ? [target, Infinity] : [-Infinity, target]
  return median >= from && median <= to ? '' : 'missed'
}
