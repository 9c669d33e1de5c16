/**
 * Delivering from a backlog while callbacks are taken at a steady rate: how
 * much of either is left when a process does both.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { gatewayContestant } from '../drain.js'
import { resultOf, type Result } from '../result.js'

const DELIVERIES_PER_SECOND = 4_500
const CONNECTIONS = 64

async function run (bench: Bench): Promise<Result[]> {
  const { load, subscribers, plan: { runs, bothWaysSeconds: seconds, offered } } = bench
  const gateway = await gatewayFor(bench, FAN_OUT)
  const contestant = gatewayContestant(bench, gateway, { timed: FAN_OUT, all: FAN_OUT })
  const rates: number[] = []
  const acknowledged: number[] = []
  for (let run = 0; run <= runs; run++) {
    // Enough that it cannot be delivered before the load ends.
    const backlog = Math.ceil(seconds * 4 * DELIVERIES_PER_SECOND / FAN_OUT.length)
    await contestant.hold()
    await contestant.fill(backlog)
    const loading = load.ask('open', { ...gateway.ingest, connections: CONNECTIONS, perSecond: offered, seconds })
    const arrived = subscribers.ask('count', { paths: FAN_OUT, seconds: seconds * 0.8 })
    await contestant.release()
    const [{ refused, latencyMs }, { perSecond }] = await Promise.all([loading, arrived])
    if (refused > 0) throw new Error(`${refused} callbacks were not answered 200`)
    if (run > 0) {
      rates.push(perSecond)
      acknowledged.push(latencyMs.p99)
    }
    await subscribers.ask('quiet', {})
  }
  return [resultOf({
    measure: 'both-ways.deliveries-per-second',
    says: `delivered from a backlog while ${offered} callbacks/s are taken`,
    unit: 'deliveries/s',
    better: 'more',
    runs: rates,
    target: DELIVERIES_PER_SECOND,
    details: { offeredPerSecond: offered, acknowledgedP99Ms: acknowledged }
  })]
}

export const bothWays: Measure = { name: 'both-ways', run }
