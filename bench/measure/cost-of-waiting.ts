/**
 * What one delivery costs while few and while many others wait: a gateway that
 * slows down as its backlog grows never catches up. Wall time per delivery,
 * and Redis's own CPU time, which other processes disturb less.
 */
import type { Redis } from 'ioredis'
import { gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant } from '../drain.js'
import { ratioOf, resultOf, type Result } from '../result.js'
import { openClient, readInfo } from '../stage/redis.js'
import { settleAof } from '../stage/settle.js'

const PATHS = ['/a']
/** The cost with the fewest waiting, divided by the cost with the most. */
const FLAT = 0.9

interface Cost { wallUs: number[], redisUs: number[] }

async function cpuSeconds (client: Redis): Promise<number> {
  return await readInfo(client, 'cpu', 'used_cpu_user') + await readInfo(client, 'cpu', 'used_cpu_sys')
}

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { runs, waiting: levels, costed }, stage, say, subscribers } = bench
  const gateway = await gatewayFor(bench, PATHS)
  const client = openClient(stage, gateway.socket)
  const contestant = gatewayContestant(bench, gateway, { timed: PATHS, all: PATHS })
  await drain(bench, contestant, { paths: PATHS, events: costed })

  const costs: Cost[] = []
  for (const level of levels) {
    const cost: Cost = { wallUs: [], redisUs: [] }
    for (let run = 0; run < runs; run++) {
      await contestant.hold()
      const missing = level + 2 * costed - await client.zcard('{relay}:open:a')
      if (missing > 0) {
        say(`${missing} more deliveries wait`)
        await contestant.fill(missing)
      }
      await settleAof(client)
      const arrivals = subscribers.ask('arrivals', { paths: PATHS, marks: [Math.ceil(costed / 10), costed] })
      const cpuBefore = await cpuSeconds(client)
      await contestant.release()
      const [fromUs, toUs] = await arrivals as [number, number]
      const cpuAfter = await cpuSeconds(client)
      cost.wallUs.push((toUs - fromUs) / (costed - Math.ceil(costed / 10)))
      cost.redisUs.push((cpuAfter - cpuBefore) * 1e6 / costed)
    }
    costs.push(cost)
  }
  return [
    ...levels.flatMap((level, at) => results(level, costs[at]!)),
    ratioOf({ measure: 'waiting.flat', says: `cost with ${shown(levels[0]!)} waiting, of that with ${shown(levels.at(-1)!)}`, target: FLAT },
      costs[0]!.wallUs, costs.at(-1)!.wallUs)
  ]
}

function shown (count: number): string {
  return count.toLocaleString('en')
}

function results (level: number, { wallUs, redisUs }: Cost): Result[] {
  return [
    resultOf({ measure: `waiting.${level}.wall`, says: `one delivery with ${shown(level)} waiting`, unit: 'µs', better: 'less', runs: wallUs }),
    resultOf({ measure: `waiting.${level}.redis-cpu`, says: `Redis's CPU for it, with ${shown(level)} waiting`, unit: 'µs', better: 'less', runs: redisUs })
  ]
}

export const costOfWaiting: Measure = { name: 'cost-of-waiting', run }
