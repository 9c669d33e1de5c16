/**
 * Runs as a table, and what was broken in sentences.
 */
import { columns } from '../bench/report/table.js'
import type { ServersKind } from './plan.js'
import type { RunResult } from './run.js'

const HEAD = ['seed', 'Redis', 'clocks', 'faults', 'notifications', 'acknowledged', 'spooled', 'duplicates', 'events', 'deliveries', 'twice', 'again', 'overtaken', 'deleted early', 'forgotten', 'slowest recovery', 'settled', 'broken']
const SERVERS: Record<ServersKind, string> = { redis: 'alone', sentinel: 'Sentinel', cluster: 'Cluster' }
/** As the table has them, in its order. */
const COUNTS = ['notifications', 'acknowledged', 'spooled', 'duplicates', 'events', 'deliveries', 'twice', 'again', 'overtaken', 'deletedEarly', 'forgotten'] as const
/** Of one run; the JSON has all. */
const MOST_SENTENCES = 20

/** A line for each run and, for several, one for all of them. */
export function tableOf (results: readonly RunResult[], isMarkdown: boolean): string {
  const rows = results.map(rowOf)
  if (results.length > 1) rows.push(totalOf(results))
  if (!isMarkdown) return columns([HEAD, ...rows]) + '\n'
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(HEAD), line(HEAD.map(() => '---')), ...rows.map(line)].join('\n') + '\n'
}

/** What was broken in a run, and how to make it again; nothing when nothing was. */
export function describeBroken ({ seed, seconds, isFull, broken }: RunResult): string {
  if (broken.length === 0) return ''
  const more = broken.length - MOST_SENTENCES
  return [
    `seed ${seed}: ${broken.length} ${broken.length === 1 ? 'promise was' : 'promises were'} broken`,
    ...broken.slice(0, MOST_SENTENCES).map(sentence => `  ${sentence}`),
    ...more > 0 ? [`  and ${more} more`] : [],
    `again: npm run chaos -- --seed ${seed} --seconds ${seconds}${isFull ? ' --full' : ''}`
  ].join('\n') + '\n'
}

/** The slowest recovery of a run, milliseconds; 0 when none could be measured. */
export function slowestOf ({ recoveries }: RunResult): number {
  return Math.max(0, ...recoveries.map(({ ms }) => ms ?? 0))
}

function rowOf (result: RunResult): string[] {
  const { seed, servers, isFull, isApart, faults, counts, settledMs, broken } = result
  return [
    seed,
    isFull ? `${SERVERS[servers]}, full` : SERVERS[servers],
    isApart ? 'apart' : '',
    ...[faults, ...COUNTS.map(name => counts[name])].map(String),
    inSeconds(slowestOf(result)),
    inSeconds(settledMs),
    String(broken.length)
  ]
}

function totalOf (results: readonly RunResult[]): string[] {
  const sum = (of: (result: RunResult) => number): string => String(results.reduce((total, result) => total + of(result), 0))
  return [
    `${results.length} seeds`,
    '',
    '',
    sum(({ faults }) => faults),
    ...COUNTS.map(name => sum(({ counts }) => counts[name])),
    inSeconds(Math.max(...results.map(slowestOf))),
    inSeconds(Math.max(...results.map(({ settledMs }) => settledMs))),
    sum(({ broken }) => broken.length)
  ]
}

function inSeconds (ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
