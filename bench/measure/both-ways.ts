/**
 * Delivering from a backlog while callbacks are taken at a steady rate: how
 * much of either is left when a process does both. The load begins before what
 * is counted and ends after it, and the backlog outlasts both.
 */
import type { Redis } from 'ioredis'
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { gatewayContestant, type Contestant } from '../drain.js'
import { resultOf, type Result } from '../result.js'
import { openClient } from '../stage/redis.js'
import { settle } from '../stage/settle.js'
import { takeTurns } from '../turns.js'

const DELIVERIES_PER_SECOND = 4_500
const CONNECTIONS = 64
/** The load goes on for so long beside what is counted, seconds: it takes a moment to let the backlog go. */
const AROUND_SECONDS = 1
/** A backlog lasts so many times as long as what is counted, for who just reaches the target. */
const BACKLOG_TIMES = 3

interface Found { perSecond: number, takenPerSecond: number, p99: number }

interface Scene { contestant: Contestant, client: Redis }

async function once ({ load, subscribers, plan }: Bench, ingest: { port: number, path: string }, { contestant, client }: Scene): Promise<Found> {
  const { bothWaysSeconds: seconds, offered } = plan
  await contestant.hold()
  await contestant.fill(Math.ceil(seconds * BACKLOG_TIMES * DELIVERIES_PER_SECOND / FAN_OUT.length))
  await settle(client)
  const loading = load.ask('open', { ...ingest, connections: CONNECTIONS, perSecond: offered, seconds: seconds + AROUND_SECONDS })
  let loaded = false
  void loading.then(() => { loaded = true }, () => {})
  const counting = subscribers.ask('count', { paths: FAN_OUT, seconds })
  await contestant.release()
  const { perSecond } = await counting
  if (loaded) throw new Error('the load ended before all was counted')
  if (await leastWaiting(client) === 0) throw new Error('the backlog was gone before all was counted')
  const { refused, latencyMs, perSecond: takenPerSecond } = await loading
  if (refused > 0) throw new Error(`${refused} callbacks were not answered 200`)
  await subscribers.ask('quiet', {})
  return { perSecond, takenPerSecond, p99: latencyMs.p99 }
}

/** Deliveries that wait for the subscriber with the fewest. */
async function leastWaiting (client: Redis): Promise<number> {
  return Math.min(...await Promise.all(FAN_OUT.map(async path => await client.zcard(`{relay}:open:${path.slice(1)}`))))
}

async function run (bench: Bench): Promise<Result[]> {
  const { stage, plan: { runs, offered } } = bench
  const gateway = await gatewayFor(bench, FAN_OUT)
  const scene = {
    contestant: gatewayContestant(bench, gateway, { timed: FAN_OUT, all: FAN_OUT }),
    client: openClient(stage, gateway.socket)
  }
  const [found] = await takeTurns(runs, [async () => await once(bench, gateway.ingest, scene)]) as [Found[]]
  const offer = `${offered.toLocaleString('en')}/s`
  return [
    resultOf({
      measure: 'both-ways.deliveries-per-second',
      says: `delivered from a backlog while ${offer} are offered`,
      unit: 'deliveries/s',
      better: 'more',
      runs: found.map(({ perSecond }) => perSecond),
      target: DELIVERIES_PER_SECOND
    }),
    resultOf({
      measure: 'both-ways.accepted-per-second',
      says: `accepted meanwhile, of ${offer}`,
      unit: 'events/s',
      better: 'more',
      runs: found.map(({ takenPerSecond }) => takenPerSecond),
      details: { acknowledgedP99Ms: found.map(({ p99 }) => p99) }
    })
  ]
}

export const bothWays: Measure = { name: 'both-ways', run }
