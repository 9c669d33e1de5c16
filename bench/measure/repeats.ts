/**
 * Repeats: the same few callbacks again and again, answered as duplicates.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { costPer, type Effort } from '../effort.js'
import { resultOf, type Result } from '../result.js'
import { cpuMeter } from '../stage/cpu.js'
import { openClient } from '../stage/redis.js'
import { bestOf, takeTurns } from '../turns.js'

const REPEATS_PER_SECOND = 10_000

async function run (bench: Bench): Promise<Result[]> {
  const { load, plan, stage } = bench
  const { ingest, pid, socket } = await gatewayFor(bench, FAN_OUT, { role: 'ingest' })
  const cpu = cpuMeter(pid, openClient(stage, socket))

  async function answer (connections: number, seconds: number): Promise<Effort> {
    const before = await cpu()
    const { perSecond, refused } = await load.ask('closed', { ...ingest, connections, seconds, bodies: 'repeats' })
    if (refused > 0) throw new Error(`${refused} repeats were not answered 200`)
    return { perSecond, cpuUs: costPer(perSecond * seconds, before, await cpu()) }
  }

  const best = await bestOf(plan.connections, async connections => (await answer(connections, plan.trySeconds)).perSecond)
  const [efforts] = await takeTurns(plan.runs, [async () => await answer(best, plan.seconds)]) as [Effort[]]
  const cost = (where: 'process' | 'redis', says: string): Result => resultOf({
    measure: `repeats.${where}-cpu`, says, unit: 'µs', better: 'less', runs: efforts.map(({ cpuUs }) => cpuUs[where])
  })
  return [resultOf({
    measure: 'repeats.per-second',
    says: 'repeats answered',
    unit: 'repeats/s',
    better: 'more',
    runs: efforts.map(({ perSecond }) => perSecond),
    target: REPEATS_PER_SECOND,
    details: { connections: best }
  }), cost('process', 'CPU of the process per repeat'), cost('redis', 'CPU of Redis per repeat')]
}

export const repeats: Measure = { name: 'repeats', run }
