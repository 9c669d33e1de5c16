/**
 * What the gateway and its Redis hold at one moment.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { setTimeout as wait } from 'node:timers/promises'
import type { BenchGateway } from '../bench/stage/gateway.js'
import { readInfo } from '../bench/stage/redis.js'

export interface Sample {
  /** Epoch milliseconds. */
  at: number
  /** Of the gateway, bytes. */
  rss: number
  /** Descriptors of the gateway: sockets and files. NaN where the system does not tell. */
  descriptors: number
  timers: number
  /** Of Redis, bytes. */
  redisMemory: number
  keys: number
  /** In the record. */
  events: number
}

const LOOK_EVERY_MS = 10
const ANSWER_WITHIN_MS = 5_000

/** Takes one. @throws when the gateway does not say what it holds */
export async function takeSample ({ pid, configFile }: BenchGateway, client: Redis): Promise<Sample> {
  const { counts, rss } = await askResources(pid, `${configFile}.resources`)
  return {
    at: Date.now(),
    rss,
    descriptors: descriptorsOf(pid),
    timers: counts['Timeout'] ?? 0,
    redisMemory: await readInfo(client, 'memory', 'used_memory'),
    keys: await client.dbsize(),
    events: await client.zcard('{relay}:events')
  }
}

async function askResources (pid: number, file: string): Promise<{ counts: Record<string, number>, rss: number }> {
  rmSync(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  const until = performance.now() + ANSWER_WITHIN_MS
  while (performance.now() < until) {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as { counts: Record<string, number>, rss: number }
    await wait(LOOK_EVERY_MS)
  }
  throw new Error(`the gateway did not answer within ${ANSWER_WITHIN_MS} ms`)
}

function descriptorsOf (pid: number): number {
  try { return readdirSync(`/proc/${pid}/fd`).length } catch { return NaN }
}
