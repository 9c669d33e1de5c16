/**
 * The command line of the bench.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MEASURES } from './measures.js'
import { FULL, QUICK, SMOKE, type Plan } from './plan.js'

export const USAGE = `npm run bench -- [options]

  --quick             about one minute instead of twenty: the journey, once each way; --only takes the rest as well
  --smoke             only the two ratios beside the ceilings, in half a minute; fails when one has fallen by more than
                      a third since bench/baseline.json was written
  --write-baseline    with --smoke: writes that file instead
  --compare OLD.json  show what changed since that run
  --only A,B          only these measures: ${MEASURES.map(({ name }) => name).join(', ')}
  --runs N            runs of each measure, instead of ${FULL.runs} (quick: ${QUICK.runs})
  --out FILE          where the JSON goes (default: data/bench/<time>.json)
  --dir DIR           where Redis keeps its data meanwhile; its disk is measured too (default: data/bench)
  --log LEVEL         log level of the gateway (default: warn)
`

/** What a quick run measures when nothing is named. */
const QUICK_ONES = ['latency-idle', 'acknowledging', 'accepting', 'repeats', 'delivering', 'both-ways', 'hanging']
/** What has the ratios that the smoke test watches. */
const SMOKED = ['accepting', 'delivering']

export interface BenchOptions {
  plan: Plan
  mode: 'smoke' | 'quick' | 'full'
  /** Names of measures. */
  only: string[]
  compareWith: string | null
  out: string | null
  base: string
  logLevel: string
  /** Compare with the baseline, write it, or neither. */
  baseline: 'compare' | 'write' | null
  help: boolean
}

/** @throws with a sentence for the person who typed it */
export function readOptions (args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      'write-baseline': { type: 'boolean', default: false },
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
  const only = values.only?.split(',') ?? (values.smoke ? SMOKED : values.quick ? QUICK_ONES : names)
  const unknown = only.find(name => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no measure ${unknown}; there are ${names.join(', ')}`)
  if (values.smoke && values.only !== undefined) throw new Error('--smoke measures what it watches, so --only does not go with it')
  if (values['write-baseline'] && !values.smoke) throw new Error('--write-baseline goes with --smoke')
  const plan = values.smoke ? SMOKE : values.quick ? QUICK : FULL
  const runs = values.runs === undefined ? plan.runs : Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1 || runs > 100) throw new Error('--runs takes a whole number from 1 to 100')
  return {
    plan: { ...plan, runs },
    mode: values.smoke ? 'smoke' : values.quick ? 'quick' : 'full',
    only,
    compareWith: values.compare ?? null,
    out: values.out === undefined ? null : resolve(values.out),
    base: resolve(values.dir),
    logLevel: values.log,
    baseline: values['write-baseline'] ? 'write' : values.smoke ? 'compare' : null,
    help: values.help
  }
}
