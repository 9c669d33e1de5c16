/**
 * Lets go, or gives up, what one event holds back (`conflict`, `verify`): at
 * once, since one event costs the same whatever else there is.
 */
import { readEvent } from '../record/read-event.js'
import type { RecordStore } from '../record/store.js'
import type { Queues } from '../queue/bullmq/queues.js'
import { discardDeliveries } from './discard.js'
import { DISCARDABLE } from './order.js'
import { putBack } from './put-back.js'

/**
 * Puts the held deliveries of an event in their queues.
 *
 * @returns how many; `null` when there is no such event
 */
export async function releaseEvent (store: RecordStore, queues: Queues, eventId: string): Promise<number | null> {
  const event = await readEvent(store, eventId)
  if (event === null) return null
  return await putBack({ store, queues }, event.deliveries.filter(({ state }) => state === 'held'), { replayId: null, newWebhookId: null })
}

/**
 * Discards every delivery of an event that is not over.
 *
 * @returns how many; `null` when there is no such event
 */
export async function discardEvent (store: RecordStore, eventId: string): Promise<number | null> {
  const event = await readEvent(store, eventId)
  if (event === null) return null
  return await discardDeliveries(store, event.deliveries.filter(({ state }) => DISCARDABLE.includes(state)))
}
