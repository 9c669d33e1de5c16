/**
 * The command line of the chaos run.
 */
import { parseArgs } from 'node:util'

export const USAGE = `npm run chaos -- [options]

Starts three gateways, a Redis (by the seed alone, behind Sentinel, or a Cluster) and three subscribers, sends callbacks,
breaks things, and compares at the end what was acknowledged with what arrived. Ends with 1 when a promise was broken. The same seed does the same again.

  --seed N         what happens, and when (default: 1)
  --seeds A..B     one run for each of them, and a table; goes on where it was interrupted
  --seconds S      how long things break, from 3 to 3600 (default: 20)
  --full           one Redis, kept full during every fault; without it, three of ten seeds that have one Redis are so
  --results FILE   where --seeds keeps its results (default: data/chaos/<seconds>s.ndjson, with --full <seconds>s-full.ndjson)
  --timed          also a recovery of more than ten seconds is a broken promise; for a machine that does nothing else
  --markdown       print the table as Markdown
  --quiet          say less
`

export interface ChaosOptions {
  seeds: string[]
  seconds: number
  /** Every plan has one Redis, which is kept full. */
  isFull: boolean
  /** `null` for a single run, which keeps none. */
  results: string | null
  /** Whether a slow recovery breaks a promise. */
  isTimed: boolean
  isMarkdown: boolean
  isQuiet: boolean
  help: boolean
}

const MOST_SEEDS = 10_000

/** @throws with a sentence for the person who typed it */
export function readOptions (args: string[]): ChaosOptions {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      seconds: { type: 'string', default: '20' },
      full: { type: 'boolean', default: false },
      results: { type: 'string' },
      timed: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  if (values.seed !== undefined && values.seeds !== undefined) throw new Error('--seed or --seeds, not both')
  const seconds = Number(values.seconds)
  if (!Number.isInteger(seconds) || seconds < 3 || seconds > 3_600) throw new Error('--seconds takes a whole number from 3 to 3600')
  if (values.results !== undefined && values.seeds === undefined) throw new Error('--results goes with --seeds')
  return {
    seeds: values.seeds === undefined ? [seedOf(values.seed ?? '1')] : rangeOf(values.seeds),
    seconds,
    isFull: values.full,
    results: values.seeds === undefined ? null : values.results ?? `data/chaos/${seconds}s${values.full ? '-full' : ''}.ndjson`,
    isTimed: values.timed,
    isMarkdown: values.markdown,
    isQuiet: values.quiet,
    help: values.help
  }
}

function seedOf (text: string): string {
  if (!/^[\w-]{1,64}$/.test(text)) throw new Error('--seed takes up to 64 letters, digits, _ and -')
  return text
}

function rangeOf (text: string): string[] {
  const [, from, to] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(text) ?? []
  const count = Number(to) - Number(from) + 1
  if (!(count >= 1 && count <= MOST_SEEDS)) throw new Error(`--seeds takes a range as 1..100, of ${MOST_SEEDS} at most`)
  return Array.from({ length: count }, (_, at) => String(Number(from) + at))
}
