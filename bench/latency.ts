/**
 * From the POST to the subscriber, at a rate at which nothing has to wait:
 * counted from the moment a callback was due to the moment its delivery has
 * arrived at a subscriber.
 */
import type { Bench } from './bench.js'
import type { Quantiles } from './quantiles.js'
import { resultOf, type Result } from './result.js'
import type { BenchGateway } from './stage/gateway.js'

const CONNECTIONS = 16
const P50_MS = 4
const P99_MS = 20

/** One run of it. */
export async function endToEnd ({ load, subscribers, plan: { seconds, idle } }: Bench, gateway: BenchGateway, paths: string[]): Promise<Quantiles> {
  const latencies = subscribers.ask('latencies', { paths, count: idle * seconds * paths.length })
  const { refused } = await load.ask('open', { ...gateway.ingest, connections: CONNECTIONS, perSecond: idle, seconds })
  if (refused > 0) throw new Error(`${refused} callbacks were not answered 200`)
  return await latencies
}

/** Two results, the median and the 99 % of each run. */
export function latencyResults (found: Quantiles[], { measure, says }: Pick<Result, 'measure' | 'says'>): Result[] {
  const result = (which: 'p50' | 'p99', words: string, target: number): Result => resultOf({
    measure: `${measure}.${which}`,
    says: `${says}: ${words}`,
    unit: 'ms',
    better: 'less',
    runs: found.map(quantiles => quantiles[which]),
    target,
    details: { maxMs: found.map(({ max }) => max) }
  })
  return [result('p50', 'median', P50_MS), result('p99', '99 %', P99_MS)]
}
