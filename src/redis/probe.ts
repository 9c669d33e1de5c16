/**
 * Asks Redis whether it takes writes: one that is full, read-only or out of
 * disk still answers reads.
 */
import type { Keys } from './keys.js'
import type { RedisClient } from './script.js'

/** How long what was written lives. */
const PROBE_SECONDS = 60

/**
 * Writes something that nobody needs.
 *
 * @param redis  fails fast, or this waits for as long as it does
 * @throws       what ioredis throws
 */
export async function probeWrites (redis: RedisClient, keys: Keys): Promise<void> {
  await redis.set(keys.probe, '1', 'EX', PROBE_SECONDS)
}
