/**
 * Lets go, or gives up, what one event holds back (`conflict`, `verify`).
 */
import type { Delivery } from '../model/delivery.js'
import { discardDeliveries } from './discard.js'
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
export async function discardEvent (store: RecordStore, queues: Queues, eventId: string): Promise<number | null> {
  const event = await readEvent(store, eventId)
  if (event === null) return null
  return await giveUp(store, queues, event.deliveries)
}

/**
 * Discards deliveries, and removes their jobs: left in the queue they would
 * stand before live ones and count against the rate limit.
 *
 * @returns how many were neither delivered nor discarded before
 */
export async function giveUp (store: RecordStore, queues: Queues, deliveries: readonly Delivery[]): Promise<number> {
  const discarded = await discardDeliveries(store, deliveries)
  const bySubscriber = new Map<string, Delivery[]>()
  for (const delivery of deliveries) bySubscriber.set(delivery.subscriber, [...bySubscriber.get(delivery.subscriber) ?? [], delivery])
  for (const [subscriber, jobs] of bySubscriber) await queues.removeJobs(subscriber, jobs)
  return discarded
}
