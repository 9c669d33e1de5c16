/**
 * What is promised in milliseconds while something is away: how long the
 * slowest callback waits for its 200 while a Redis of one's own is killed and
 * while it is frozen, how soon deliveries go on when it is back, and how soon
 * what a killed gateway was delivering runs again on another. The tests of
 * these promises wait for what happens; only here is it timed.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { nowUs } from '../clock.js'
import { resultOf, type Result } from '../result.js'
import { startServer, type BenchRedis } from '../stage/redis.js'
import { takeTurns } from '../turns.js'

const ANSWER_MS = 1_500
const RESUME_MS = 5_000
const TAKEOVER_MS = 10_000
/** Enough that no callback waits for one. */
const CONNECTIONS = 256
/** Callbacks come for so long before it goes away, milliseconds. */
const LEAD_MS = 500
const HANGING = '/hang'

interface Outage { name: 'killed' | 'frozen', begin: (redis: BenchRedis) => unknown, end: (redis: BenchRedis) => unknown }

const OUTAGES: readonly Outage[] = [
  { name: 'killed', begin: async redis => { await redis.kill() }, end: async redis => { await redis.start() } },
  { name: 'frozen', begin (redis) { redis.freeze() }, end (redis) { redis.thaw() } }
]

interface Found { slowestMs: number, resumedMs: number }

/** Callbacks come, Redis goes away, and it is back when each of them has been answered. */
async function sitOut ({ load, subscribers, plan: { idle, seconds } }: Bench, ingest: { port: number, path: string }, { redis, outage }: { redis: BenchRedis, outage: Outage }): Promise<Found> {
  const sending = load.ask('open', { ...ingest, connections: CONNECTIONS, perSecond: idle, seconds: seconds + LEAD_MS / 1_000 })
  await wait(LEAD_MS)
  await outage.begin(redis)
  const { refused, latencyMs } = await sending
  if (refused > 0) throw new Error(`${refused} callbacks were not answered 200 while Redis was ${outage.name}`)
  await subscribers.ask('quiet', {})
  const goesOn = subscribers.ask('arrivals', { paths: FAN_OUT, marks: [1] })
  const endedUs = nowUs()
  await outage.end(redis)
  const [atUs] = await goesOn as [number]
  await subscribers.ask('quiet', {})
  return { slowestMs: latencyMs.max, resumedMs: (atUs - endedUs) / 1e3 }
}

/** @returns how long it took until what a killed gateway had in flight was sent by another, milliseconds */
async function takeOver (bench: Bench): Promise<number> {
  const { stage, base, filler, subscribers } = bench
  const { socket } = await startServer(stage, base)
  const [first, again] = [1, 2].map(async count => await subscribers.ask('arrivals', { paths: [HANGING], marks: [count] })) as [Promise<number[]>, Promise<number[]>]
  const doomed = await gatewayFor(bench, [HANGING], { role: 'deliver', redis: socket })
  await filler.ask('fill', { socket, subscribers: [HANGING.slice(1)], events: 1 })
  await first
  const other = await gatewayFor(bench, [HANGING], { role: 'deliver', redis: socket })
  const killedUs = nowUs()
  process.kill(doomed.pid, 'SIGKILL')
  const [atUs] = await again as [number]
  process.kill(other.pid, 'SIGKILL')
  return (atUs - killedUs) / 1e3
}

async function run (bench: Bench): Promise<Result[]> {
  const { stage, base, plan: { runs } } = bench
  const redis = await startServer(stage, base)
  const { ingest } = await gatewayFor(bench, FAN_OUT, { redis: redis.socket })
  const found = await takeTurns(runs, OUTAGES.map(outage => async () => await sitOut(bench, ingest, { redis, outage })))
  const [taken] = await takeTurns(runs, [async () => await takeOver(bench)]) as [number[]]
  const result = (name: string, says: string, { runs, target }: Required<Pick<Result, 'runs' | 'target'>>): Result =>
    resultOf({ measure: `outages.${name}`, says, unit: 'ms', better: 'less', runs, target })
  return [
    ...OUTAGES.flatMap(({ name }, at) => [
      result(`${name}-slowest-answer`, `slowest answer while Redis is ${name}`, { runs: found[at]!.map(({ slowestMs }) => slowestMs), target: ANSWER_MS }),
      result(`${name}-resumed`, `deliveries go on after Redis was ${name}`, { runs: found[at]!.map(({ resumedMs }) => resumedMs), target: RESUME_MS })
    ]),
    result('taken-over', 'what a killed gateway was delivering runs again on another', { runs: taken, target: TAKEOVER_MS })
  ]
}

export const outages: Measure = { name: 'outages', run }
