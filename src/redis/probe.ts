/**
 * Asks Redis whether it would accept a callback: a server that is full, read-only or
 * out of disk still answers reads.
 */
import type { Keys } from './keys.js'
import { loadScript, runScript, type RedisClient } from './script.js'

const PROBE = loadScript(new URL('./probe.lua', import.meta.url))

/** How long the written value lives. */
const PROBE_SECONDS = 60

/**
 * Writes a value without meaning.
 *
 * @param redis  a fail-fast connection, or this waits
 * @throws       errors of ioredis
 */
export async function probeWrites (redis: RedisClient, keys: Keys): Promise<void> {
  await runScript(redis, PROBE, { keys: [keys.probe], args: [PROBE_SECONDS] })
}
