/**
 * What events cost in Redis: bytes while an event waits for three subscribers
 * (record, body, claim, indexes, three jobs), and bytes while it is kept after
 * all three have it (record with attempts, body, claim).
 */
import { BODY_BYTES } from '../body.js'
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant, type Contestant } from '../drain.js'
import { resultOf, type Result } from '../result.js'
import { openClient, readInfo } from '../stage/redis.js'
import { settleAof } from '../stage/settle.js'

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { weighed }, stage } = bench
  const gateway = await gatewayFor(bench, FAN_OUT)
  const client = openClient(stage, gateway.socket)
  const contestant = gatewayContestant(bench, gateway, { timed: FAN_OUT, all: FAN_OUT })
  const bytes = async (): Promise<number> => {
    await settleAof(client)
    return await readInfo(client, 'memory', 'used_memory')
  }

  // Scripts and connections are there before anything is weighed.
  await drain(bench, contestant, { paths: FAN_OUT, events: 200 })
  const empty = await bytes()
  let full = NaN
  const weighing: Contestant = {
    ...contestant,
    async release () {
      full = await bytes()
      await contestant.release()
    }
  }
  await drain(bench, weighing, { paths: FAN_OUT, events: weighed })
  const kept = await bytes()
  const details = { events: weighed, bodyBytes: BODY_BYTES, deliveriesPerEvent: FAN_OUT.length }
  return [
    resultOf({ measure: 'memory.waiting', says: 'Redis bytes per event waiting for three', unit: 'bytes', better: 'less', runs: [(full - empty) / weighed], details }),
    resultOf({ measure: 'memory.retained', says: 'Redis bytes per event kept after delivery', unit: 'bytes', better: 'less', runs: [(kept - empty) / weighed], details })
  ]
}

export const memory: Measure = { name: 'memory', run }
