/**
 * Reads what a job is about: is its delivery still open under this generation,
 * and what is to be sent?
 *
 * The reading itself is a function for scripts, because it goes along with the
 * taking of the job.
 */
import { SUBSCRIBER_HOLDS } from '../model/delivery.js'
import type { OpenedDelivery } from '../model/work.js'
import { parseDelivery } from './fields.js'
import { loadRecordScript } from './lua.js'

/** For scripts: what it takes and returns stands at its top. */
export const OPEN_DELIVERIES = loadRecordScript(new URL('./open-deliveries.lua', import.meta.url))

/** What {@link OPEN_DELIVERIES} says of one delivery; numbers that Redis keeps are text. */
export type StoredOpening = [
  task: string, receivedAt: string, revision: string, contentType: string, delivery: string, hold: number, clockMs: number, body: number
]

/**
 * Reads what {@link OPEN_DELIVERIES} said.
 *
 * @param stored      `false` when there is no such delivery
 * @param body        the body it speaks of
 * @param generation  of the job
 * @returns `closed` when the delivery is not open under this generation (its job is to be finished unsent);
 *          `on-hold` when its subscriber is; else the event, the body and the delivery's age without time on hold
 */
export function readOpening (
  stored: StoredOpening | false, body: Buffer | undefined, { subscriber, eventId, generation }: { subscriber: string, eventId: string, generation: number }
): OpenedDelivery {
  if (stored === false || body === undefined) return { kind: 'closed' }
  const [taskId, receivedAt, revision, contentType, json, hold, clockMs] = stored
  const delivery = parseDelivery(eventId, subscriber, json)
  const open = delivery.state === 'queued' || delivery.state === 'retrying'
  if (!open || delivery.generation !== generation) return { kind: 'closed' }
  if (hold > 0) return { kind: 'on-hold', by: SUBSCRIBER_HOLDS[hold - 1]! }
  return {
    kind: 'open',
    event: { id: eventId, taskId, receivedAt: Number(receivedAt), revision: Number(revision), contentType },
    delivery,
    body,
    ageMs: Math.max(0, clockMs - delivery.queuedAt)
  }
}
