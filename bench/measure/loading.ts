/**
 * A planned restart: how soon the door is open, and how long the gateway's own
 * Redis reads its append-only file, per GB of it. The door must not wait for
 * that: its time is compared with that of a start with next to no data.
 */
import type { Redis } from 'ioredis'
import { setTimeout as wait } from 'node:timers/promises'
import { bodyOf, taskNames } from '../body.js'
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { medianOf } from '../quantiles.js'
import { ratioOf, resultOf, type Result } from '../result.js'
import type { BenchGateway } from '../stage/gateway.js'
import { openClient, readInfo } from '../stage/redis.js'
import { settle } from '../stage/settle.js'

/** From the start of the process until a callback is answered 200, milliseconds. */
const DOOR_MS = 3_000
/** What the door takes with next to no data, of what it takes with much: at least this. */
const DOOR_SHARE = 0.8
/** Most of it is carrying out commands, on one core. */
const SECONDS_PER_GB = 20

const LOOK_EVERY_MS = 5
const MB = 1e6
/** Events between two looks at the size of the file. */
const STEP = 4_000

const nextTask = taskNames()

interface Start { doorMs: number, upMs: number }

interface Field { bench: Bench, gateway: BenchGateway, client: Redis }

/** One restart. */
async function restart ({ bench: { stage }, gateway }: Field): Promise<Start> {
  await gateway.stop()
  const client = openClient(stage, gateway.socket, true)
  const startedAt = performance.now()
  gateway.start()
  const [doorMs, upMs] = await Promise.all([
    since(startedAt, async () => await isTaken(gateway)),
    since(startedAt, async () => await readInfo(client, 'persistence', 'loading') === 0)
  ])
  client.disconnect()
  return { doorMs, upMs }
}

/** Milliseconds until it is so. */
async function since (startedAt: number, isSo: () => Promise<boolean>): Promise<number> {
  while (!await isSo()) await wait(LOOK_EVERY_MS)
  return performance.now() - startedAt
}

/** Whether a callback is answered 200, from the spool or not. */
async function isTaken ({ ingest: { port, path } }: BenchGateway): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  return await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: bodyOf(nextTask(), 0) }).then(async response => {
    await response.arrayBuffer()
    return response.status === 200
  }, () => false)
}

/** The first does not count. */
async function restarts (field: Field): Promise<Start[]> {
  const starts: Start[] = []
  for (let run = 0; run <= field.bench.plan.runs; run++) {
    const start = await restart(field)
    if (run > 0) starts.push(start)
  }
  return starts
}

/** Adds events until the file is as large as the plan says; its size, megabytes. */
async function grow ({ bench: { plan: { loadedMb }, filler, say }, gateway: { socket }, client }: Field): Promise<number> {
  const size = async (): Promise<number> => await readInfo(client, 'persistence', 'aof_current_size') / MB
  while (await size() < loadedMb) await filler.ask('fill', { socket, subscribers: FAN_OUT.map(path => path.slice(1)), events: STEP })
  await settle(client)
  say(`a file of ${Math.round(await size())} MB, ${Math.round(await readInfo(client, 'memory', 'used_memory') / MB)} MB in memory`)
  return await size()
}

async function run (bench: Bench): Promise<Result[]> {
  const gateway = await gatewayFor(bench, FAN_OUT)
  const field = { bench, gateway, client: openClient(bench.stage, gateway.socket) }
  await Promise.all(FAN_OUT.map(gateway.pause))
  const bare = await restarts(field)
  const fileMb = await grow(field)
  const full = await restarts(field)
  const bareUpMs = medianOf(bare.map(({ upMs }) => upMs))
  const details = { fileMb, upMs: full.map(({ upMs }) => upMs), bareUpMs }
  const door = (starts: Start[]): number[] => starts.map(({ doorMs }) => doorMs)
  return [
    resultOf({ measure: 'loading.door', says: 'first callback answered 200 after a start with much data', unit: 'ms', better: 'less', runs: door(full), target: DOOR_MS, details }),
    resultOf({
      measure: 'loading.seconds-per-gb',
      says: 'Redis reads its file at a start, per GB',
      unit: 's',
      better: 'less',
      runs: full.map(({ upMs }) => Math.max(0, upMs - bareUpMs) / 1e3 / (fileMb / 1e3)),
      target: SECONDS_PER_GB,
      details
    }),
    ratioOf({ measure: 'loading.door-share', says: 'first callback answered 200: with next to no data, of that with much', target: DOOR_SHARE }, door(bare), door(full))
  ]
}

export const loading: Measure = { name: 'loading', run }
