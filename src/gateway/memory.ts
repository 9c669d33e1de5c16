/**
 * What everybody may know of Redis's memory.
 */
import { SHORT_ABOVE } from '../record/make-room.js'
import type { RecordStore } from '../record/store.js'
import { readMemory } from '../redis/memory.js'

/**
 * Says that memory is short, while it is.
 *
 * @returns one sentence, or none
 * @throws  what ioredis throws
 */
export async function troublesOfMemory ({ redis, keys }: RecordStore): Promise<string[]> {
  const memory = await readMemory(redis, keys)
  if (memory === null || memory.usedBytes <= memory.maxBytes * SHORT_ABOVE) return []
  const percent = Math.floor(memory.usedBytes / memory.maxBytes * 100)
  return [`Redis has used ${percent} % of its memory: finished events go before their retention is over, so that it does not fill up`]
}
