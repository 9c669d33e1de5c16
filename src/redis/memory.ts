/**
 * How full Redis is, by the measure with which it refuses writes. On a cluster, of
 * the primary that has our keys.
 */
import type { Keys } from './keys.js'
import { loadScript, runScript, type RedisClient } from './script.js'

const READ_MEMORY = loadScript(new URL('./read-memory.lua', import.meta.url))

export interface Memory {
  /** The bytes that count against the limit. */
  usedBytes: number
  /** `maxmemory`, > 0. */
  maxBytes: number
}

/**
 * Asks Redis.
 *
 * @returns `null` if it has no limit, or does not report it
 * @throws  errors of ioredis
 */
export async function readMemory (redis: RedisClient, keys: Keys): Promise<Memory | null> {
  const [usedBytes, maxBytes] = await runScript(redis, READ_MEMORY, { keys: [keys.events], args: [] }) as number[]
  return usedBytes === undefined || maxBytes === undefined ? null : { usedBytes, maxBytes }
}
