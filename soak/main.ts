/**
 * `npm run soak`. Ends with 1 when something was not given back, 2 for bad
 * usage, 130 when interrupted; leaves no process behind.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { MAIN } from '../bench/stage/gateway.js'
import { openStage } from '../bench/stage/stage.js'
import { readOptions, USAGE, type SoakOptions } from './options.js'
import { describe, soak } from './run.js'
import { judgeSoak } from './verdict.js'

const BASE = resolve('data/soak')

async function main (): Promise<number> {
  let options: SoakOptions
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
  return await run(options)
}

async function run (options: SoakOptions): Promise<number> {
  const stage = openStage()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void stage.close().then(() => { process.exit(130) }) })
  try {
    const startedAt = new Date().toISOString()
    const soaked = await soak({ ...options, stage, base: BASE, say (text) { process.stderr.write(`${text}\n`) } })
    const wrong = judgeSoak(soaked)
    const out = options.out ?? join(BASE, `${startedAt.replaceAll(':', '-')}.json`)
    mkdirSync(dirname(out), { recursive: true })
    writeFileSync(out, JSON.stringify({ startedAt, ...options, ...soaked, wrong }, null, 2) + '\n')
    process.stdout.write(`${options.minutes} min at ${soaked.answeredPerSecond.toFixed(0)} callbacks per second, each for three subscribers\n`)
    const last = soaked.during.at(-1)
    for (const [when, sample] of [['before', soaked.before], ['at the end of the load', last], ['after', soaked.after]] as const) {
      if (sample !== undefined) process.stdout.write(`${when}: ${describe(sample)}\n`)
    }
    for (const sentence of wrong) process.stdout.write(`WRONG: ${sentence}\n`)
    process.stderr.write(`written: ${out}\n`)
    return wrong.length === 0 ? 0 : 1
  } finally {
    await stage.close()
  }
}

process.exitCode = await main()
