/**
 * Asks Redis whether it would take a callback: one that is full, read-only or
 * out of disk still answers reads.
 */
import type { Keys } from './keys.js'
import { loadScript, runScript, type RedisClient } from './script.js'

const PROBE = loadScript(new URL('./probe.lua', import.meta.url))

/** How long what was written lives. */
const PROBE_SECONDS = 60

/**
 * Writes something that nobody needs.
 *
 * @param redis  fails fast, or this waits for as long as it does
 * @throws       what ioredis throws
 */
export async function probeWrites (redis: RedisClient, keys: Keys): Promise<void> {
  await runScript(redis, PROBE, { keys: [keys.probe], args: [PROBE_SECONDS] })
}
