/**
 * What is not for a callback or a delivery at the moment: a second in which
 * nothing happens, and deleting events whose retention is over.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { sweep } from '../../src/record/sweep.js'
import { keysOf } from '../../src/redis/keys.js'
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant } from '../drain.js'
import { costPer } from '../effort.js'
import { resultOf, type Result } from '../result.js'
import { cpuMeter } from '../stage/cpu.js'
import { openClient } from '../stage/redis.js'
import { settle } from '../stage/settle.js'

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { runs, seconds, costed }, stage } = bench
  const gateway = await gatewayFor(bench, FAN_OUT)
  const client = openClient(stage, gateway.socket)
  const meter = cpuMeter(gateway.pid, client)
  const contestant = gatewayContestant(bench, gateway, { timed: FAN_OUT, all: FAN_OUT })
  const [idleProcess, idleRedis, swept]: [number[], number[], number[]] = [[], [], []]
  for (let run = 0; run <= runs; run++) {
    await drain(bench, contestant, { paths: FAN_OUT, events: costed })
    await settle(client)
    const idleFrom = await meter()
    await wait(seconds * 1_000)
    const idleTo = await meter()
    const events = await sweep({ redis: client, keys: keysOf('relay') }, { eventsMs: 0, failedMs: 0, windowMs: 0 })
    const afterSweep = await meter()
    if (run === 0) continue
    const idle = costPer(seconds * FAN_OUT.length, idleFrom, idleTo)
    idleProcess.push(idle.process)
    idleRedis.push(idle.redis)
    swept.push(costPer(events, idleTo, afterSweep).redis)
  }
  const cost = (measure: string, says: string, runs: number[]): Result => resultOf({ measure, says, unit: 'µs', better: 'less', runs })
  return [
    cost('idle.process-cpu', 'CPU of the process per second and subscriber, idle', idleProcess),
    cost('idle.redis-cpu', 'CPU of Redis per second and subscriber, idle', idleRedis),
    cost('sweep.redis-cpu', 'CPU of Redis per event deleted when its retention is over', swept)
  ]
}

export const upkeep: Measure = { name: 'upkeep', run }
