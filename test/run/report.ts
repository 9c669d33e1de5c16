/** What a person reads of a run: a line for each suite, and at the end what failed and why. */
import type { Count } from './count.js'
import type { SuiteResult } from './run-suite.js'

/** Of an explanation: what it compares stands before where it stands. */
const MOST_LINES = 40

/** One suite, with what failed in it. */
export function lineOf ({ suite, count, seconds, cpuSeconds, noise }: SuiteResult): string {
  const ok = count.failed.length === 0 ? '    ok' : 'not ok'
  const cost = `${seconds.toFixed(1).padStart(7)} s ${cpuSeconds.toFixed(1).padStart(7)} CPU-s`
  return [
    `${ok} ${suite.name.padEnd(44)} ${String(count.passed).padStart(5)} passed ${cost}`,
    ...count.failed.map(title => `       failed: ${title}`),
    ...noise.trimEnd().split('\n').filter(Boolean).map(line => `       ${line}`)
  ].join('\n')
}

/** The end of a run, down to its count. */
export function explain (results: readonly SuiteResult[], total: Count): string {
  const failed = results.filter(({ count }) => count.failed.length > 0)
  return [
    ...total.explained.map(({ title, lines }) => [`\n${title}`, ...lines.slice(0, MOST_LINES)].join('\n')),
    '',
    ...total.skipped.map(title => `skipped: ${title}`),
    ...total.failed.map(title => `failed: ${title}`),
    ...failed.map(({ suite, tapFile }) => `all that ${suite.name} printed: ${tapFile}`),
    `${total.passed} passed, ${total.failed.length} failed`
  ].join('\n')
}
