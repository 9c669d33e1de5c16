/**
 * The command line of the bench.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MEASURES } from './measures.js'
import { FULL, QUICK, type Plan } from './plan.js'

export const USAGE = `npm run bench -- [options]

  --quick             about a minute instead of a quarter of an hour
  --compare OLD.json  show what changed since that run
  --only A,B          only these measures: ${MEASURES.map(({ name }) => name).join(', ')}
  --runs N            runs of each measure, instead of ${FULL.runs} (quick: ${QUICK.runs})
  --out FILE          where the JSON goes (default: data/bench/<time>.json)
  --dir DIR           where Redis keeps its data meanwhile; its disk is measured too (default: data/bench)
  --log LEVEL         log level of the gateway (default: warn)
`

export interface BenchOptions {
  plan: Plan
  mode: 'quick' | 'full'
  /** Names of measures. */
  only: string[]
  compareWith: string | null
  out: string | null
  base: string
  logLevel: string
  help: boolean
}

/** @throws with a sentence for the person who typed it */
export function readOptions (args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      compare: { type: 'string' },
      only: { type: 'string' },
      runs: { type: 'string' },
      out: { type: 'string' },
      dir: { type: 'string', default: 'data/bench' },
      log: { type: 'string', default: 'warn' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  const names = MEASURES.map(({ name }) => name)
  const only = values.only?.split(',') ?? names
  const unknown = only.find(name => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no measure ${unknown}; there are ${names.join(', ')}`)
  const plan = values.quick ? QUICK : FULL
  const runs = values.runs === undefined ? plan.runs : Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1 || runs > 100) throw new Error('--runs takes a whole number from 1 to 100')
  return {
    plan: { ...plan, runs },
    mode: values.quick ? 'quick' : 'full',
    only,
    compareWith: values.compare ?? null,
    out: values.out === undefined ? null : resolve(values.out),
    base: resolve(values.dir),
    logLevel: values.log,
    help: values.help
  }
}
