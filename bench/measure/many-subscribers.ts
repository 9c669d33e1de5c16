/**
 * What one delivery costs with one subscriber and with many: each has a queue
 * and a worker of its own. CPU time of the gateway and its Redis together,
 * since one subscriber alone does not keep them busy.
 */
import { gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant } from '../drain.js'
import { flatnessOf, resultOf, type Result } from '../result.js'
import { takeTurns } from '../turns.js'

/** A gateway with so many subscribers. @returns what drains a backlog of theirs once and says what a delivery cost, microseconds */
async function contestantWith (bench: Bench, count: number): Promise<() => Promise<number>> {
  const paths = Array.from({ length: count }, (_, n) => `/s${n}`)
  const contestant = gatewayContestant(bench, await gatewayFor(bench, paths), { timed: paths, all: paths })
  return async () => {
    const { cpuUs } = await drain(bench, contestant, { paths, events: Math.ceil(4 * bench.plan.costed / count) })
    return cpuUs.process + cpuUs.redis
  }
}

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { runs, subscribers: levels } } = bench
  const contestants: Array<() => Promise<number>> = []
  for (const count of levels) contestants.push(await contestantWith(bench, count))
  const costs = await takeTurns(runs, contestants)
  const [few, many] = [levels[0]!, levels.at(-1)!]
  return [
    ...levels.map((count, at) => resultOf({
      measure: `subscribers.${count}.cpu`, says: `CPU of gateway and Redis per delivery, ${count} ${count === 1 ? 'subscriber' : 'subscribers'}`, unit: 'µs', better: 'less', runs: costs[at]!
    })),
    flatnessOf({ measure: 'subscribers.flat', says: `cost with ${few} subscriber, of that with ${many}` }, costs[0]!, costs.at(-1)!)
  ]
}

export const manySubscribers: Measure = { name: 'many-subscribers', run }
