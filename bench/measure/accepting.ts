/**
 * Accepting: durable, deduplicated, owed to three subscribers, by one process
 * that only takes callbacks; beside a bare Fastify route that does three plain
 * BullMQ adds. Each at its own best number of connections.
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { startChild } from '../child/ask.js'
import type { BareAcceptOrders } from '../child/bare-accept.js'
import type { Place } from '../child/wire.js'
import { costPer, costResults, type Effort } from '../effort.js'
import { ratioOf, resultOf, type Result } from '../result.js'
import { cpuMeter, type CpuUs } from '../stage/cpu.js'
import { openClient, startRedis } from '../stage/redis.js'
import { bestOf, takeTurns } from '../turns.js'

const EVENTS_PER_SECOND = 5_000
const OF_BARE = 0.9

interface Contestant { place: Place, cpu: () => Promise<CpuUs> }

/** Posts new callbacks at full speed; every one has to be answered 200, and as new. */
async function post ({ load }: Bench, { place, cpu }: Contestant, { connections, seconds }: { connections: number, seconds: number }): Promise<Effort> {
  const before = await cpu()
  const { perSecond, latencyMs, refused, duplicates } = await load.ask('closed', { ...place, connections, seconds, bodies: 'fresh' })
  if (refused + duplicates > 0) throw new Error(`${refused} callbacks were not answered 200, ${duplicates} were taken for repeats`)
  return { perSecond, cpuUs: costPer(latencyMs.count, before, await cpu()) }
}

async function startBare ({ stage, base }: Bench): Promise<Contestant> {
  const socket = await startRedis(stage, base)
  const child = startChild<BareAcceptOrders>('bare-accept')
  stage.add(child.stop)
  const { port } = await child.ask('listen', { socket, queues: FAN_OUT.map(path => path.slice(1)) })
  return { place: { port, path: '/' }, cpu: cpuMeter(child.pid, openClient(stage, socket)) }
}

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { runs, seconds, trySeconds, connections: choices } } = bench
  const gateway = await gatewayFor(bench, FAN_OUT, { role: 'ingest' })
  const own = { place: gateway.ingest, cpu: cpuMeter(gateway.pid, openClient(bench.stage, gateway.socket)) }
  const contestants = [own, await startBare(bench)]
  const best: number[] = []
  for (const contestant of contestants) {
    best.push(await bestOf(choices, async connections => (await post(bench, contestant, { connections, seconds: trySeconds })).perSecond))
  }
  const efforts = await takeTurns(runs, contestants.map((contestant, index) =>
    async () => await post(bench, contestant, { connections: best[index]!, seconds }))) as [Effort[], Effort[]]
  const [ours, bare] = efforts.map(runs => runs.map(({ perSecond }) => perSecond)) as [number[], number[]]
  return [
    resultOf({
      measure: 'accept.events-per-second',
      says: 'accepted: durable, deduplicated, for three subscribers',
      unit: 'events/s',
      better: 'more',
      runs: ours,
      target: EVENTS_PER_SECOND,
      details: { connections: best[0] }
    }),
    resultOf({
      measure: 'accept.bare',
      says: 'ceiling: bare Fastify, three plain BullMQ adds',
      unit: 'events/s',
      better: 'more',
      runs: bare,
      details: { connections: best[1] }
    }),
    ratioOf({ measure: 'accept.of-bare', says: 'accepting, of its ceiling', target: OF_BARE }, ours, bare),
    ...costResults({ measure: 'accept', one: 'event' }, ...efforts)
  ]
}

export const accepting: Measure = { name: 'accepting', run }
