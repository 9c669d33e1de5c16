/**
 * Reads what a job is about, in one round trip: is its delivery still open
 * under this generation, and what is to be sent?
 */
import type { Opened } from '../model/work.js'
import { EVENT_FIELDS, parseDelivery, parseEvent } from './fields.js'
import { HOLD_FIELDS, shownHold } from './holds.js'
import type { RecordStore } from './store.js'

/**
 * Opens a delivery for an attempt.
 *
 * @returns `closed` when the delivery is not open under this generation (its job is to be finished unsent);
 *          `on-hold` when its subscriber is; else the event, the body and the delivery's age without time on hold
 * @throws  what ioredis throws when Redis is away
 */
export async function openDelivery (
  { redis, keys }: RecordStore, { subscriber, eventId, generation }: { subscriber: string, eventId: string, generation: number }
): Promise<Opened> {
  // Sent together; a pipeline would copy every script onto itself first, which costs more than the reads.
  const [values, body, holdValues, time] = await Promise.all([
    redis.hmget(keys.event(eventId), ...EVENT_FIELDS, 'd:' + subscriber),
    redis.getBuffer(keys.body(eventId)),
    redis.hmget(keys.subscriber(subscriber), 'heldSince', 'heldTotal', ...HOLD_FIELDS),
    redis.time()
  ])

  const read = parseEvent(eventId, values)
  const stored = values[EVENT_FIELDS.length]
  if (read === null || stored == null || body === null) return { kind: 'closed' }
  const delivery = parseDelivery(eventId, subscriber, stored)
  const open = delivery.state === 'queued' || delivery.state === 'retrying'
  if (!open || delivery.generation !== generation) return { kind: 'closed' }

  const [, heldTotal, ...holds] = holdValues
  const hold = shownHold(holds)
  if (hold !== null) return { kind: 'on-hold', by: hold }
  const nowMs = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000)
  const clock = nowMs - Number(heldTotal ?? 0)
  return { kind: 'open', event: read.event, delivery, body, ageMs: Math.max(0, clock - delivery.queuedAt) }
}
