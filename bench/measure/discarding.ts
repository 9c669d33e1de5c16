/**
 * What it costs Redis to give one delivery up while few and while many others
 * wait for the same subscriber: an order that costs more the longer the line
 * is holds up callbacks just when there are most.
 */
import type { Redis } from 'ioredis'
import { setTimeout as wait } from 'node:timers/promises'
import { gatewayFor, type Bench, type Measure } from '../bench.js'
import { gatewayContestant, type Contestant } from '../drain.js'
import { costPer } from '../effort.js'
import { flatnessOf, resultOf, type Result } from '../result.js'
import type { BenchGateway } from '../stage/gateway.js'
import { openClient } from '../stage/redis.js'
import { settle } from '../stage/settle.js'
import { shown } from './cost-of-waiting.js'

const PATHS = ['/a']
const LOOK_EVERY_MS = 20

interface Order { id: string, state: string, discarded: number }

interface Field { bench: Bench, gateway: BenchGateway, client: Redis, contestant: Contestant }

/** Begins to give up all that waits, and stops when enough is. @returns microseconds of Redis's CPU for each */
async function discardSome ({ bench: { plan: { costed } }, gateway, client, contestant }: Field, level: number): Promise<number> {
  await contestant.fill(level + 2 * costed - await client.zcard('{relay}:open:a'))
  await settle(client)
  const before = await contestant.cpu()
  const { id } = await gateway.order('/deliveries/discard', { subscriber: 'a' }) as Order
  for (;;) {
    const { discarded } = await gateway.read(`/replays/${id}`) as Order
    if (discarded >= costed) break
    await wait(LOOK_EVERY_MS)
  }
  const { discarded } = await gateway.order(`/replays/${id}/cancel`, {}) as Order
  return costPer(discarded, before, await contestant.cpu()).redis
}

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { waiting, runs }, say, stage } = bench
  const gateway = await gatewayFor(bench, PATHS)
  const client = openClient(stage, gateway.socket)
  const contestant = gatewayContestant(bench, gateway, { timed: PATHS, all: PATHS })
  const levels = [waiting[0]!, waiting[1]!]
  const costs: number[][] = []
  await contestant.hold()
  for (const level of levels) {
    say(`${shown(level)} wait`)
    const cost: number[] = []
    for (let run = 0; run <= runs; run++) {
      const one = await discardSome({ bench, gateway, client, contestant }, level)
      if (run > 0) cost.push(one)
    }
    costs.push(cost)
  }
  return [
    ...levels.map((level, at) => resultOf({
      measure: `discarding.${level}.redis-cpu`, says: `Redis's CPU per delivery given up, with ${shown(level)} waiting`, unit: 'µs', better: 'less', runs: costs[at]!
    })),
    flatnessOf({ measure: 'discarding.flat', says: `cost of giving one up with ${shown(levels[0]!)} waiting, of that with ${shown(levels[1]!)}` }, costs[0]!, costs[1]!)
  ]
}

export const discarding: Measure = { name: 'discarding', run }
