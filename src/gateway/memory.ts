/**
 * What everybody may know of Redis's memory.
 */
import type { Condition } from '../model/alert.js'
import { SHORT_ABOVE } from '../record/evict.js'
import type { RecordStore } from '../record/store.js'
import { readMemory } from '../redis/memory.js'

/**
 * Says that memory is short, while it is.
 *
 * @returns one condition, or none
 * @throws  what ioredis throws
 */
export async function conditionsOfMemory ({ redis, keys }: RecordStore): Promise<Condition[]> {
  const memory = await readMemory(redis, keys)
  if (memory === null || memory.usedBytes <= memory.maxBytes * SHORT_ABOVE) return []
  const percent = Math.floor(memory.usedBytes / memory.maxBytes * 100)
  const summary = `Redis has used ${percent} % of its memory: finished events go before their retention is over, so that it does not fill up`
  return [{ name: 'memory-short', severity: 'critical', of: 'relay', subscriber: null, summary, figures: { ...memory } }]
}
