/**
 * Small texts that are kept for a while: locks, and what was answered under a
 * key. They are written also while Redis is full, because what makes room
 * needs them.
 */
import { loadScript, runScript, type RedisClient } from '../redis/script.js'

const KEEP = loadScript(new URL('./keep.lua', import.meta.url))

/**
 * Keeps a text.
 *
 * @param when  `absent` leaves alone what is there
 * @returns     whether it is kept now
 * @throws      what ioredis throws
 */
export async function keepFor (
  redis: RedisClient, key: string, { text, ms, when }: { text: string, ms: number, when: 'absent' | 'always' }
): Promise<boolean> {
  return await runScript(redis, KEEP, { keys: [key], args: [text, ms, when] }) === 1
}
