/**
 * Deletes events, whatever became of them: record, body, attempts, indexes and
 * jobs. A claim of each stays, of which nothing that arrived can be read, so
 * that a repeat of what was purged is a repeat and does not bring it back.
 */
import { loadRecordScript } from '../record/lua.js'
import type { RecordStore } from '../record/store.js'
import { runPackedScript } from '../redis/script.js'

const PURGE = loadRecordScript(new URL('./purge.lua', import.meta.url))

export interface PurgeOptions {
  orderId: string
  /** The sequence below which the order goes on, noted in the same step. */
  cursor: number
  /** How long the claims are remembered, milliseconds. */
  windowMs: number
}

/**
 * Deletes events in one atomic step.
 *
 * @param eventIds  at most some dozens
 * @returns         how many
 * @throws          what ioredis throws
 */
export async function purgeEvents ({ redis, keys }: RecordStore, eventIds: readonly string[], { orderId, cursor, windowMs }: PurgeOptions): Promise<number> {
  const { output } = await runPackedScript(redis, PURGE, {
    key: keys.events,
    input: { prefix: `{${keys.prefix}}:`, queues: keys.queuePrefix, order: orderId, cursor, window: windowMs, events: eventIds }
  })
  return output as number
}
