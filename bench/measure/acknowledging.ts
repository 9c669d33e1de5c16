/**
 * Acknowledging: how long Fotor waits for its 200 while the gateway takes a
 * steady load and delivers all of it to three subscribers at the same time.
 * Latency counts from the moment each callback was due.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import type { OpenResult } from '../child/load.js'
import { resultOf, type Result } from '../result.js'

const P99_MS = 15
/** Enough that none of them waits for one while the gateway keeps up. */
const CONNECTIONS = 64

async function run (bench: Bench): Promise<Result[]> {
  const { load, plan: { runs, seconds, offered } } = bench
  const { ingest } = await gatewayFor(bench, FAN_OUT)
  const found: OpenResult[] = []
  for (let run = 0; run <= runs; run++) {
    const result = await load.ask('open', { ...ingest, connections: CONNECTIONS, perSecond: offered, seconds })
    if (result.refused > 0) throw new Error(`${result.refused} callbacks were not answered 200`)
    if (run > 0) found.push(result)
  }
  const shown = { offeredPerSecond: offered, lateToSendP99Ms: found.map(({ lateMs }) => lateMs.p99) }
  return [
    resultOf({
      measure: 'acknowledge.p50',
      says: `answered while delivering, ${offered}/s offered: median`,
      unit: 'ms',
      better: 'less',
      runs: found.map(({ latencyMs }) => latencyMs.p50),
      details: shown
    }),
    resultOf({
      measure: 'acknowledge.p99',
      says: `answered while delivering, ${offered}/s offered: 99 %`,
      unit: 'ms',
      better: 'less',
      runs: found.map(({ latencyMs }) => latencyMs.p99),
      target: P99_MS,
      details: shown
    })
  ]
}

export const acknowledging: Measure = { name: 'acknowledging', run }
