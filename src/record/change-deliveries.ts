/**
 * An operator's changes to deliveries: put back in the queue, or given up.
 *
 * The scripts look again at each delivery, so what changed since it was
 * selected is left alone.
 */
import { loadScript, runScript, type Script } from '../redis/script.js'
import type { RecordStore } from './store.js'

export const REQUEUE: Script = loadScript(new URL('./requeue.lua', import.meta.url))
const DISCARD = loadScript(new URL('./discard.lua', import.meta.url))

/** One delivery that is to be put back. */
export interface Requeue {
  eventId: string
  subscriber: string
  /** The generation it shall have: one more than now, 1 for a backfill, the present one when it is retrying. */
  generation: number
}

/**
 * The keys and arguments of {@link REQUEUE}, to be run in a transaction with the jobs.
 *
 * @param replayId       `null` when this is a release and no replay
 * @param newWebhookId   makes the `webhook-id` of each delivery; `null` keeps the event's id
 * @param cursor         the sequence below which the replay goes on, noted in the same step
 */
export function requeueArguments (
  { keys }: RecordStore, deliveries: readonly Requeue[], { replayId, newWebhookId, cursor }: { replayId: string | null, newWebhookId: (() => string) | null, cursor?: number }
): [keys: string[], args: Array<string | number>] {
  const flat = deliveries.flatMap(({ eventId, subscriber, generation }) =>
    newWebhookId === null ? [eventId, subscriber, generation] : [eventId, subscriber, generation, newWebhookId()])
  return [[keys.events], [`{${keys.prefix}}:`, replayId ?? '', newWebhookId === null ? '0' : '1', cursor ?? '', ...flat]]
}

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
