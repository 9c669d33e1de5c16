/**
 * Lets go, or gives up, what one event holds back (`conflict`, `verify`).
 */
import { REQUEUE, discardDeliveries, requeueArguments } from '../record/change-deliveries.js'
import { readEvent } from '../record/read-event.js'
import type { RecordStore } from '../record/store.js'
import type { Queues } from '../queue/queues.js'

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
  const transaction = await queues.begin()
  transaction.run(REQUEUE, ...requeueArguments(store, held, { replayId: null, newWebhookId: null }))
  for (const { subscriber, generation } of held) transaction.addJob(subscriber, eventId, generation)
  const [queued] = await transaction.commit()
  return Number(queued)
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
