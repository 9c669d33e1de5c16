/**
 * Runs tests: a tier, or the files that are named.
 *
 *   npm test                               the short tier
 *   npm run test:journey|endurance|all     the others, all
 *   npm test -- record/sweep               one file, or every file whose path has this in it
 *
 * Suites run side by side, two for each core, for they mostly wait (--jobs N: N).
 * What each took is told as it ends, what failed is explained at the end; the
 * last line is `N passed, N failed`. Ends with 0 when nothing failed and
 * something passed, with 2 when it was asked for nothing.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { cpuSecondsOf } from './cpu.js'
import { sumOf } from './count.js'
import { explain, lineOf } from './report.js'
import { runSuite, type SuiteResult } from './run-suite.js'
import { suitesOf, testFiles, TIERS, tierOf, type Suite, type Tier } from './suites.js'

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    tier: { type: 'string', multiple: true },
    jobs: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
    bail: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false }
  }
})

const jobs = Number(values.jobs ?? 2 * availableParallelism())
if (!(Number.isInteger(jobs) && jobs > 0)) {
  console.error(`--jobs ${values.jobs} is no number of suites: give one from 1.`)
  process.exit(2)
}
const files = chosenFiles()
if (values.list) {
  console.log(files.join('\n'))
} else {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort() })
  const results: SuiteResult[] = []
  for (const tier of TIERS) results.push(...await runTier(tier, stop))
  const total = sumOf(results.map(({ count }) => count))
  if (stop.signal.aborted) total.failed.push('the run was stopped before its end')
  console.log(explain(results, total))
  process.exitCode = total.failed.length === 0 && total.passed > 0 ? 0 : 1
}

/** With words, those of every tier; without, all of the tiers asked for. */
function chosenFiles (): string[] {
  const tiers = words.length > 0 ? TIERS : values.tier ?? ['short']
  const has = (file: string, parts: readonly string[]): boolean => parts.some(part => file.includes(part))
  const chosen = testFiles().filter(file => tiers.includes(tierOf(file)) && (words.length === 0 || has(file, words)) && !has(file, values.without))
  if (chosen.length > 0) return chosen
  console.error(words.length > 0
    ? `No test file has ${words.map(word => `"${word}"`).join(' or ')} in its path. All there are: npm test -- --list .`
    : `There is no tier ${tiers.join(' or ')}: ${TIERS.join(', ')}.`)
  process.exit(2)
}

async function runTier (tier: Tier, stop: AbortController): Promise<SuiteResult[]> {
  const suites = suitesOf(files.filter(file => tierOf(file) === tier))
  if (suites.length === 0 || stop.signal.aborted) return []
  const [began, cpu] = [performance.now(), cpuSecondsOf(process.pid)]
  console.log(`\n${tier}: ${suites.length} suites, ${suites.flatMap(({ files }) => files).length} files`)
  const together = await inParallel(suites.filter(({ isAlone }) => !isAlone), jobs, stop)
  const alone = await inParallel(suites.filter(({ isAlone }) => isAlone), 1, stop)
  const seconds = (performance.now() - began) / 1_000
  console.log(`${tier}: ${seconds.toFixed(0)} s, ${(cpuSecondsOf(process.pid) - cpu).toFixed(0)} CPU-s`)
  return [...together, ...alone]
}

async function inParallel (suites: readonly Suite[], jobs: number, stop: AbortController): Promise<SuiteResult[]> {
  const waiting = [...suites]
  const results: SuiteResult[] = []
  await Promise.all(Array.from({ length: jobs }, async () => {
    for (let suite = waiting.shift(); suite !== undefined && !stop.signal.aborted; suite = waiting.shift()) {
      const result = await runSuite(suite, { signal: stop.signal, bail: values.bail })
      results.push(result)
      console.log(lineOf(result))
      if (values.bail && result.count.failed.length > 0) stop.abort()
    }
  }))
  return results
}
