/**
 * Delivering from a backlog, signed and recorded, to three subscribers, once
 * with the default concurrency and once with that of its ceiling: a bare loop
 * from BullMQ to undici at its own best concurrency.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { startChild } from '../child/ask.js'
import type { BareDeliverOrders } from '../child/bare-deliver.js'
import { drain, gatewayContestant, type Contestant } from '../drain.js'
import { ratioOf, resultOf, type Result } from '../result.js'
import { costResults, type Effort } from '../effort.js'
import { cpuMeter } from '../stage/cpu.js'
import { openClient, startRedis } from '../stage/redis.js'
import { bestOf, takeTurns } from '../turns.js'

const DELIVERIES_PER_SECOND = 6_000
const OF_BARE = 0.9
/** A try of a concurrency delivers this share of a run's backlog. */
const TRY_SHARE = 0.5

async function startBare (bench: Bench): Promise<(concurrency: number) => Contestant> {
  const { stage, base, plan, subscriberPort } = bench
  const socket = await startRedis(stage, base)
  const child = startChild<BareDeliverOrders>('bare-deliver')
  stage.add(child.stop)
  await child.ask('open', { socket, port: subscriberPort, paths: FAN_OUT, connections: Math.max(...plan.concurrencies) })
  const cpu = cpuMeter(child.pid, openClient(stage, socket))
  return concurrency => ({
    async hold () { await child.ask('hold', {}) },
    async fill (events) { await child.ask('fill', { events }) },
    async release () { await child.ask('release', { concurrency }) },
    cpu
  })
}

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { runs, backlog, concurrencies } } = bench
  const gateway = await gatewayFor(bench, FAN_OUT)
  const bareAt = await startBare(bench)
  const best = await bestOf(concurrencies, async concurrency =>
    (await drain(bench, bareAt(concurrency), { paths: FAN_OUT, events: Math.ceil(backlog * TRY_SHARE) })).perSecond)
  const wide = await gatewayFor(bench, FAN_OUT, { concurrency: best })
  const contestants = [...[gateway, wide].map(one => gatewayContestant(bench, one, { timed: FAN_OUT, all: FAN_OUT })), bareAt(best)]
  const efforts = await takeTurns(runs, contestants.map(contestant =>
    async () => await drain(bench, contestant, { paths: FAN_OUT, events: backlog }))) as [Effort[], Effort[], Effort[]]
  const [own, , bareRuns] = efforts
  const [ours, widened, bare] = efforts.map(runs => runs.map(({ perSecond }) => perSecond)) as [number[], number[], number[]]
  return [
    resultOf({
      measure: 'deliver.per-second',
      says: 'delivered from a backlog: signed, recorded, three subscribers',
      unit: 'deliveries/s',
      better: 'more',
      runs: ours,
      target: DELIVERIES_PER_SECOND,
      details: { concurrency: 'the default' }
    }),
    resultOf({
      measure: 'deliver.wide-per-second',
      says: 'the same, with as many at a time as its ceiling',
      unit: 'deliveries/s',
      better: 'more',
      runs: widened,
      details: { concurrency: best }
    }),
    resultOf({
      measure: 'deliver.bare',
      says: 'ceiling: bare loop from BullMQ to undici',
      unit: 'deliveries/s',
      better: 'more',
      runs: bare,
      details: { concurrency: best }
    }),
    ratioOf({ measure: 'deliver.of-bare', says: 'delivering, of its ceiling', target: OF_BARE }, ours, bare),
    ratioOf({ measure: 'deliver.wide-of-bare', says: 'the same, with as many at a time as its ceiling', target: OF_BARE }, widened, bare),
    ...costResults({ measure: 'deliver', one: 'delivery' }, own, bareRuns)
  ]
}

export const delivering: Measure = { name: 'delivering', run }
