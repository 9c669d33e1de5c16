/**
 * Repeats: the same few callbacks again and again, answered as duplicates.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { resultOf, type Result } from '../result.js'
import { bestOf, takeTurns } from '../turns.js'

const REPEATS_PER_SECOND = 10_000

async function run (bench: Bench): Promise<Result[]> {
  const { load, plan } = bench
  const { ingest } = await gatewayFor(bench, FAN_OUT, { role: 'ingest' })

  async function rate (connections: number, seconds: number): Promise<number> {
    const { perSecond, refused } = await load.ask('closed', { ...ingest, connections, seconds, bodies: 'repeats' })
    if (refused > 0) throw new Error(`${refused} repeats were not answered 200`)
    return perSecond
  }

  const best = await bestOf(plan.connections, async connections => await rate(connections, plan.trySeconds))
  const [runs] = await takeTurns(plan.runs, [async () => await rate(best, plan.seconds)]) as [number[]]
  return [resultOf({
    measure: 'repeats.per-second',
    says: 'repeats answered',
    unit: 'repeats/s',
    better: 'more',
    runs,
    target: REPEATS_PER_SECOND,
    details: { connections: best }
  })]
}

export const repeats: Measure = { name: 'repeats', run }
