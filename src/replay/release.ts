/**
 * Lets go, or gives up, what one event holds back (`conflict`, `verify`).
 */
import { discardDeliveries } from '../record/discard.js'
import { readEvent } from '../record/read-event.js'
import type { RecordStore } from '../record/store.js'
import type { Queues } from '../queue/bullmq/queues.js'
import { putBack } from './put-back.js'

/**
 * Puts the held deliveries of an event in their queues.
 *
 * @returns how many; `null` when there is no such event
 */
export async function releaseEvent (store: RecordStore, queues: Queues, eventId: string): Promise<number | null> {
  const event = await readEvent(store, eventId)
  if (event === null) return null
  const held = event.deliveries
    .filter(({ state }) => state === 'held')
    .map(({ subscriber, generation }) => ({ eventId, subscriber, generation: generation + 1 }))
  return await putBack({ store, queues }, held, { replayId: null, newWebhookId: null })
}

/**
 * Discards every delivery of an event that is not delivered.
 *
 * @returns how many; `null` when there is no such event
 */
export async function discardEvent (store: RecordStore, eventId: string): Promise<number | null> {
  const event = await readEvent(store, eventId)
  if (event === null) return null
  return await discardDeliveries(store, event.deliveries)
}
