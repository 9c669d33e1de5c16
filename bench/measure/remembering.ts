/**
 * What it costs to know a repeat when its event has been deleted: bytes in
 * Redis for each, and Redis's time for each new callback, which has to be looked
 * for among all of them.
 */
import type { Redis } from 'ioredis'
import { CLAIM_BYTES } from '../../src/model/dedupe.js'
import { sweep } from '../../src/record/sweep.js'
import { keysOf } from '../../src/redis/keys.js'
import { scanKeys } from '../../src/redis/scan.js'
import { FAN_OUT, type Bench, type Measure } from '../bench.js'
import { ratioOf, resultOf, type Result } from '../result.js'
import { openClient, readInfo, startRedis } from '../stage/redis.js'

const keys = keysOf('relay')
/** As many as a window has, so that a new callback is looked for in all of them. */
const BUCKETS = 6
const WINDOW_MS = 7 * 24 * 3600 * 1_000
const BUCKET_MS = WINDOW_MS / BUCKETS
/** What an event costs when nothing is remembered, of what it costs beside all buckets: at least this. */
const ACCEPT_SHARE = 0.75

/** Accepts so many callbacks. */
type Fill = (subscribers: string[], events: number) => Promise<void>

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { runs, weighed, costed }, stage, base, filler } = bench
  const socket = await startRedis(stage, base)
  const client = openClient(stage, socket)
  const fill: Fill = async (subscribers, events) => { await filler.ask('fill', { socket, subscribers, events }) }
  const names = FAN_OUT.map(path => path.slice(1))
  const accept = async (): Promise<number[]> => {
    const costs: number[] = []
    for (let run = 0; run < runs; run++) costs.push(await redisCpuPer(client, costed, async () => { await fill(names, costed) }))
    return costs
  }

  await fill(names, costed)
  const without = await accept()
  const claims = await remember(client, fill, Math.ceil(weighed / BUCKETS))
  const bytes = await bytesOfClaims(client) / claims
  const beside = await accept()
  const details = { claims, buckets: BUCKETS, deliveriesPerEvent: names.length }
  const cost = (measure: string, says: string, runs: number[]): Result => resultOf({ measure, says, unit: 'µs', better: 'less', runs, details })
  return [
    resultOf({ measure: 'remember.bytes', says: 'Redis bytes per deleted event that is remembered', unit: 'bytes', better: 'less', runs: [bytes], target: CLAIM_BYTES, details }),
    cost('remember.accept-alone-redis-cpu', 'CPU of Redis per event, nothing remembered', without),
    cost('remember.accept-redis-cpu', 'CPU of Redis per event, beside what is remembered', beside),
    ratioOf({ measure: 'remember.accept-share', says: 'CPU of Redis per event: alone, of beside what is remembered', target: ACCEPT_SHARE }, without, beside)
  ]
}

/** As a record that has run for a window: its buckets are full. Returns how many claims there are. */
async function remember (client: Redis, fill: Fill, each: number): Promise<number> {
  let claims = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (const [name, value] of Object.entries(await client.hgetall(keys.claims))) {
      if (!name.startsWith('b:')) continue
      const [from, till, last, ...counts] = value.split(' ').map(Number) as [number, number, number, ...number[]]
      await client.hset(keys.claims, name, [from - BUCKET_MS, till - BUCKET_MS, last - BUCKET_MS, ...counts].join(' '))
    }
    await fill([], each)
    claims += await sweep({ redis: client, keys }, { eventsMs: 0, failedMs: 0, windowMs: WINDOW_MS + BUCKET_MS })
  }
  return claims
}

/** Every key with all that Redis needs for it; by what it uses in all, little could be told of so few bytes. */
async function bytesOfClaims (client: Redis): Promise<number> {
  let bytes = 0
  for await (const found of scanKeys(client, keys.claims, 1_000)) {
    for (const key of found) bytes += Number(await client.memory('USAGE', key, 'SAMPLES', 0))
  }
  return bytes
}

async function redisCpuPer (client: Redis, units: number, work: () => Promise<void>): Promise<number> {
  const used = async (): Promise<number> => (await readInfo(client, 'cpu', 'used_cpu_user') + await readInfo(client, 'cpu', 'used_cpu_sys')) * 1e6
  const before = await used()
  await work()
  return (await used() - before) / units
}

export const remembering: Measure = { name: 'remembering', run }
