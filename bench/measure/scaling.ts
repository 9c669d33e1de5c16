/**
 * One process and two, for each half of the journey, on one Redis that they
 * share. On two cores the second process competes with the first, with Redis
 * and with the load: the curve shows what that machine can show, no more.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant, type Contestant } from '../drain.js'
import { resultOf, type Result } from '../result.js'
import { startRedis } from '../stage/redis.js'

async function accepted (bench: Bench, processes: number): Promise<number[]> {
  const { load, stage, base, plan: { runs, seconds, connections } } = bench
  const redis = await startRedis(stage, base)
  const gateways = await Promise.all(Array.from({ length: processes }, async () => await gatewayFor(bench, FAN_OUT, { role: 'ingest', redis })))
  const rates: number[] = []
  for (let run = 0; run <= runs; run++) {
    const results = await Promise.all(gateways.map(async ({ ingest }) =>
      await load.ask('closed', { ...ingest, connections: Math.ceil(connections.at(-1)! / processes), seconds, bodies: 'fresh' })))
    if (results.some(({ refused }) => refused > 0)) throw new Error('a callback was not answered 200')
    if (run > 0) rates.push(results.reduce((sum, { perSecond }) => sum + perSecond, 0))
  }
  return rates
}

async function delivered (bench: Bench, processes: number): Promise<number[]> {
  const { stage, base, plan: { runs, backlog } } = bench
  const redis = await startRedis(stage, base)
  const gateways = await Promise.all(Array.from({ length: processes }, async () => await gatewayFor(bench, FAN_OUT, { role: 'deliver', redis })))
  const contestant: Contestant = gatewayContestant(bench, gateways[0]!, { timed: FAN_OUT, all: FAN_OUT })
  const rates: number[] = []
  for (let run = 0; run <= runs; run++) {
    const { perSecond } = await drain(bench, contestant, { paths: FAN_OUT, events: backlog })
    if (run > 0) rates.push(perSecond)
  }
  return rates
}

async function run (bench: Bench): Promise<Result[]> {
  const results: Result[] = []
  for (const processes of [1, 2]) {
    const one = processes === 1 ? 'one process' : 'two processes'
    results.push(resultOf({
      measure: `scaling.accept.${processes}`, says: `accepted by ${one} on a shared Redis`, unit: 'events/s', better: 'more', runs: await accepted(bench, processes)
    }))
    results.push(resultOf({
      measure: `scaling.deliver.${processes}`, says: `delivered by ${one} on a shared Redis`, unit: 'deliveries/s', better: 'more', runs: await delivered(bench, processes)
    }))
  }
  return results
}

export const scaling: Measure = { name: 'scaling', run }
