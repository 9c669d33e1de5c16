/**
 * Idle latency: how soon a subscriber has an event when there is little to do.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { endToEnd, latencyResults } from '../latency.js'
import type { Quantiles } from '../quantiles.js'
import type { Result } from '../result.js'
import { takeTurns } from '../turns.js'

async function run (bench: Bench): Promise<Result[]> {
  const gateway = await gatewayFor(bench, FAN_OUT)
  const [found] = await takeTurns(bench.plan.runs, [async () => await endToEnd(bench, gateway, FAN_OUT)]) as [Quantiles[]]
  return latencyResults(found, { measure: 'latency.idle', says: `POST to subscriber at ${bench.plan.idle}/s` })
}

export const latencyIdle: Measure = { name: 'latency-idle', run }
