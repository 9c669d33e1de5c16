/**
 * What one delivery costs while few and while many others wait, and when as
 * many have been delivered and are kept: a gateway that slows down as its
 * backlog or its record grows never catches up. Wall time per delivery, and
 * Redis's own CPU time, which other processes disturb less. Also how much
 * memory the gateway takes with the most waiting, and how long an operator
 * waits for a page of a list with the most kept.
 */
import type { Redis } from 'ioredis'
import { gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant, type Contestant } from '../drain.js'
import { pageTimes } from '../pages.js'
import { flatnessOf, resultOf, type Result } from '../result.js'
import { residentBytes } from '../stage/cpu.js'
import type { BenchGateway } from '../stage/gateway.js'
import { openClient, readInfo } from '../stage/redis.js'
import { settle } from '../stage/settle.js'

const PATHS = ['/a']
const RESIDENT_MB = 200

interface Cost { wallUs: number[], redisUs: number[] }

interface Field { bench: Bench, gateway: BenchGateway, client: Redis, contestant: Contestant }

async function cpuSeconds (client: Redis): Promise<number> {
  return await readInfo(client, 'cpu', 'used_cpu_user') + await readInfo(client, 'cpu', 'used_cpu_sys')
}

/** Runs at one level, after one that does not count: as many as that wait behind those that are delivered and timed. */
async function costWith ({ bench, client, contestant }: Field, level: number): Promise<Cost> {
  const { plan: { runs, costed }, say, subscribers } = bench
  const cost: Cost = { wallUs: [], redisUs: [] }
  for (let run = 0; run <= runs; run++) {
    await contestant.hold()
    const missing = level + 2 * costed - await client.zcard('{relay}:open:a')
    if (missing > 0) {
      say(`${shown(missing)} more deliveries wait`)
      await contestant.fill(missing)
    }
    await settle(client)
    const arrivals = subscribers.ask('arrivals', { paths: PATHS, marks: [Math.ceil(costed / 10), costed] })
    const cpuBefore = await cpuSeconds(client)
    await contestant.release()
    const [fromUs, toUs] = await arrivals as [number, number]
    const cpuAfter = await cpuSeconds(client)
    if (run === 0) continue
    cost.wallUs.push((toUs - fromUs) / (costed - Math.ceil(costed / 10)))
    cost.redisUs.push((cpuAfter - cpuBefore) * 1e6 / costed)
  }
  return cost
}

/** Delivers all that waits, without waiting for the disk: it is not measured. */
async function deliverAll ({ bench, client, contestant }: Field): Promise<number> {
  await contestant.hold()
  const waiting = await client.zcard('{relay}:open:a')
  bench.say(`${shown(waiting)} are delivered, to be kept`)
  await client.config('SET', 'appendfsync', 'no')
  const arrived = bench.subscribers.ask('arrivals', { paths: PATHS, marks: [waiting] })
  await contestant.release()
  await arrived
  await client.config('SET', 'appendfsync', 'always')
  await settle(client)
  return await client.zcard('{relay}:ended')
}

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { waiting: levels, costed }, stage } = bench
  const gateway = await gatewayFor(bench, PATHS)
  const client = openClient(stage, gateway.socket)
  const contestant = gatewayContestant(bench, gateway, { timed: PATHS, all: PATHS })
  const field = { bench, gateway, client, contestant }
  await drain(bench, contestant, { paths: PATHS, events: costed })

  const costs: Cost[] = []
  for (const level of levels) costs.push(await costWith(field, level))
  const residentMb = residentBytes(gateway.pid) / 1e6
  const [least, most] = [levels[0]!, levels.at(-1)!]
  const kept = await deliverAll(field)
  const keeping = await costWith(field, least)
  return [
    ...levels.flatMap((level, at) => results({ what: 'waiting', level, cost: costs[at]! })),
    flatnessOf({ measure: 'waiting.flat', says: `cost with ${shown(least)} waiting, of that with ${shown(most)}` }, costs[0]!.redisUs, costs.at(-1)!.redisUs),
    resultOf({
      measure: 'waiting.rss', says: `memory of the gateway with ${shown(most)} waiting`, unit: 'MB', better: 'less', runs: [residentMb], target: RESIDENT_MB
    }),
    ...results({ what: 'kept', level: kept, cost: keeping }),
    flatnessOf({ measure: 'kept.flat', says: `cost with next to none kept, of that with ${shown(kept)}` }, costs[0]!.redisUs, keeping.redisUs),
    ...await pageTimes(bench, gateway, kept)
  ]
}

export function shown (count: number): string {
  return count.toLocaleString('en')
}

function results ({ what, level, cost: { wallUs, redisUs } }: { what: 'waiting' | 'kept', level: number, cost: Cost }): Result[] {
  return [
    resultOf({ measure: `${what}.${level}.wall`, says: `one delivery with ${shown(level)} ${what}`, unit: 'µs', better: 'less', runs: wallUs }),
    resultOf({ measure: `${what}.${level}.redis-cpu`, says: `Redis's CPU for it, with ${shown(level)} ${what}`, unit: 'µs', better: 'less', runs: redisUs })
  ]
}

export const costOfWaiting: Measure = { name: 'cost-of-waiting', run }
