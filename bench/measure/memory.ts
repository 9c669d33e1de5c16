/**
 * What events cost in Redis beside their body: bytes while an event waits for
 * three subscribers (record, claim, indexes, three jobs), and bytes while it is
 * kept after all three have it (record with attempts, claim).
 */
import { BODY_BYTES } from '../body.js'
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant, type Contestant } from '../drain.js'
import { resultOf, type Result } from '../result.js'
import { openClient, readInfo } from '../stage/redis.js'
import { settle } from '../stage/settle.js'

const WAITING_BYTES = 3 * 1024
const RETAINED_BYTES = 2 * 1024

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { weighed }, stage } = bench
  const gateway = await gatewayFor(bench, FAN_OUT)
  const client = openClient(stage, gateway.socket)
  const contestant = gatewayContestant(bench, gateway, { timed: FAN_OUT, all: FAN_OUT })
  const bytes = async (): Promise<number> => {
    await settle(client)
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
  const result = (measure: string, says: string, { bytes, target }: { bytes: number, target: number }): Result =>
    resultOf({ measure, says, unit: 'bytes', better: 'less', runs: [bytes / weighed - BODY_BYTES], target, details })
  return [
    result('memory.waiting', 'Redis bytes per event waiting for three, beside its body', { bytes: full - empty, target: WAITING_BYTES }),
    result('memory.retained', 'Redis bytes per event kept after delivery, beside its body', { bytes: kept - empty, target: RETAINED_BYTES })
  ]
}

export const memory: Measure = { name: 'memory', run }
