/**
 * The table of the bench: what was aimed at stands beside what was found.
 */
import t from '../support/tap.js'
import type { BenchDocument } from '../../bench/report/document.js'
import { tableOf } from '../../bench/report/table.js'
import { flatnessOf, resultOf, type Result } from '../../bench/result.js'

const ENVIRONMENT: BenchDocument['environment'] = {
  commit: 'abc',
  version: '1',
  node: 'v20',
  redis: '7',
  bullmq: '6',
  system: 'linux',
  cpu: 'some',
  cores: 2,
  memoryGb: 8,
  fileSystem: '0xef53',
  appendfsync: 'always',
  bodyBytes: 700,
  logLevel: 'warn',
  loadAverage: 0
}

/** The line of one result in the table of a run that found only this. */
function lineOf (result: Result): string {
  const of = (unit: boolean): Result[] => (result.unit === 'ratio') === unit ? [result] : []
  const table = tableOf({
    format: 'fotor-relay-bench/1',
    mode: 'quick',
    startedAt: '2026-01-01T00:00:00Z',
    seconds: 1,
    environment: ENVIRONMENT,
    loadBefore: {},
    results: of(false),
    ratios: of(true),
    failures: {}
  })
  return table.split('\n').find(line => line.startsWith(result.says))!
}

const flat = (...more: number[]): Result => flatnessOf({ measure: 'x', says: 'cost' }, more.map(() => 100), more)
const rate = (median: number): Result => resultOf({ measure: 'x', says: 'rate', unit: 'events/s', better: 'more', runs: [median], target: 5_000 })
const wait = (median: number): Result => resultOf({ measure: 'x', says: 'wait', unit: 'ms', better: 'less', runs: [median], target: 15 })

const TABLE: ReadonlyArray<[says: string, result: Result, line: RegExp]> = [
  ['a rate at its target has met it', rate(5_000), /≥ 5,000$/],
  ['a rate below its target has missed it', rate(4_999), /≥ 5,000 +missed$/],
  ['a wait at its target has met it', wait(15), /≤ 15$/],
  ['a wait above its target has missed it', wait(15.1), /≤ 15 +missed$/],
  ['a cost that rises by a quarter is flat', flat(125), /0\.80 +0\.80 +0\.80 +0\.8–1\.25$/],
  ['a cost that rises by more is not', flat(126), /0\.79 .*0\.8–1\.25 +missed$/],
  ['a cost that falls by a fifth is flat', flat(80), /1\.25 .*0\.8–1\.25$/],
  ['a cost that falls by more is not flat either', flat(75), /1\.33 .*0\.8–1\.25 +missed$/],
  ['one bad run of three does not decide', flat(100, 300, 105), /0\.95 +0\.33 +1\.00 .*0\.8–1\.25$/]
]
for (const [says, result, line] of TABLE) {
  t.test(says, async t => { t.match(lineOf(result), line) })
}

t.test('what has no target misses none', async t => {
  t.match(lineOf(resultOf({ measure: 'x', says: 'size', unit: 'bytes', better: 'less', runs: [7] })), /bytes +one run$/)
})
