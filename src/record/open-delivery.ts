/**
 * Reads what a job is for: the delivery that is open under it, and what is to
 * be sent. A delivery whose stored form cannot be read fails in the same step,
 * once, with the reason `corrupt`.
 *
 * The reading itself is a function for scripts, because it goes along with the
 * taking of the job.
 */
import type { OpenedDelivery } from '../model/work.js'
import { parseDelivery } from './fields.js'
import { loadRecordScript } from './lua.js'

/** For scripts: what it takes and returns stands at its top. */
export const OPEN_DELIVERIES = loadRecordScript(new URL('./open-deliveries.lua', import.meta.url))

/** What {@link OPEN_DELIVERIES} says of one delivery; numbers that Redis keeps are text. */
export type StoredOpening = [
  task: string, receivedAt: string, revision: string, contentType: string | false, delivery: string, clockMs: number, body: number
]

/**
 * Reads what {@link OPEN_DELIVERIES} said.
 *
 * @param bodies  that it speaks of
 * @returns       the event, the body and the delivery's age without time on hold
 */
export function readOpening (stored: StoredOpening, bodies: readonly Buffer[], { subscriber, eventId }: { subscriber: string, eventId: string }): OpenedDelivery {
  const [taskId, receivedAt, revision, contentType, json, clockMs, body] = stored
  const delivery = parseDelivery(eventId, subscriber, json)
  return {
    event: {
      id: eventId, taskId, receivedAt: Number(receivedAt), revision: Number(revision), contentType: contentType === false ? 'application/json' : contentType
    },
    delivery,
    body: bodies[body - 1]!,
    ageMs: Math.max(0, clockMs - delivery.queuedAt)
  }
}
