/**
 * An operator gives deliveries up. The script looks again at each, so what
 * changed since it was selected is left alone.
 */
import { runScript } from '../redis/script.js'
import { loadRecordScript } from '../record/lua.js'
import type { RecordStore } from '../record/store.js'

const DISCARD = loadRecordScript(new URL('./discard.lua', import.meta.url))

/**
 * Discards deliveries that are neither delivered nor discarded already.
 *
 * @returns how many
 */
export async function discardDeliveries (
  { redis, keys }: RecordStore, deliveries: ReadonlyArray<{ eventId: string, subscriber: string }>
): Promise<number> {
  if (deliveries.length === 0) return 0
  return await runScript(redis, DISCARD, {
    keys: [keys.events],
    args: [`{${keys.prefix}}:`, ...deliveries.flatMap(({ eventId, subscriber }) => [eventId, subscriber])]
  }) as number
}
