/**
 * `npm run chaos`: one run, or many. The table goes to standard output,
 * progress to standard error. Ends with 1 when a promise was broken, 2 for bad
 * usage.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { MAIN } from '../test/support/gateway.js'
import { leftOut } from './faults.js'
import { readOptions, USAGE, type ChaosOptions } from './options.js'
import { planOf } from './plan.js'
import { tooSlow } from './recovery.js'
import { describeBroken, slowestOf, tableOf } from './report.js'
import { runPlan, type RunResult } from './run.js'

async function main (): Promise<number> {
  let options: ChaosOptions
  try {
    options = readOptions(process.argv.slice(2))
    if (options.help) {
      process.stdout.write(USAGE)
      return 0
    }
    if (!existsSync(MAIN)) throw new Error('dist/ is not there: npm run build')
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return 2
  }
  const results = (await runAll(options)).map(result => options.isTimed ? timed(result) : result)
  process.stdout.write(tableOf(results, options.isMarkdown))
  for (const result of results) process.stderr.write(describeBroken(result))
  return results.every(({ broken }) => broken.length === 0) ? 0 : 1
}

async function runAll ({ seeds, seconds, isFull, results: file, isQuiet }: ChaosOptions): Promise<RunResult[]> {
  const isOf = (one: RunResult): boolean => one.seconds === seconds && seeds.includes(one.seed) && one.isFull === planOf(one.seed, seconds, { isFull }).isFull
  const kept = file === null ? [] : readResults(file).filter(isOf)
  const results = new Map(kept.map(one => [one.seed, one]))
  const say = (text: string): void => { if (!isQuiet) process.stderr.write(`${text}\n`) }
  const without = leftOut()
  if (without.length > 0) say(`without prlimit(1) there is no ${without.join(', ')}`)
  if (results.size > 0) say(`${results.size} of ${seeds.length} are done already: ${file}`)
  for (const seed of seeds.filter(seed => !results.has(seed))) {
    say(`seed ${seed}: ${seconds} s`)
    const result = await runPlan(planOf(seed, seconds, { isFull }), { say: seeds.length === 1 ? say : () => {} })
    results.set(seed, result)
    if (file !== null) keepResult(file, result)
    say(`seed ${seed}: ${result.counts.acknowledged} acknowledged, slowest recovery ${slowestOf(result)} ms, ${result.broken.length} broken`)
  }
  return seeds.map(seed => results.get(seed)!)
}

/** The same, with its slow recoveries among what was broken. */
function timed (result: RunResult): RunResult {
  return { ...result, broken: [...result.broken, ...tooSlow(result.recoveries)] }
}

function readResults (file: string): RunResult[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8').split('\n').filter(line => line !== '').map(line => JSON.parse(line) as RunResult)
}

function keepResult (file: string, result: RunResult): void {
  mkdirSync(dirname(file), { recursive: true })
  appendFileSync(file, JSON.stringify(result) + '\n')
}

process.exitCode = await main()
