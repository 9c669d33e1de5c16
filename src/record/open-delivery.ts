/**
 * Reads the delivery that is open under a job, and what must be sent. A delivery
 * whose stored form cannot be read fails in the same step, once, with the reason
 * `corrupt`.
 *
 * The reading itself is a function for scripts, because it runs in the step that
 * takes the job.
 */
import type { OpenedDelivery } from '../model/work.js'
import { parseDelivery } from './fields.js'
import { loadRecordScript } from './lua.js'

/** For scripts: its head says what it takes and returns. */
export const OPEN_DELIVERIES = loadRecordScript(new URL('./open-deliveries.lua', import.meta.url))

/** The result of {@link OPEN_DELIVERIES} for one delivery; numbers that Redis stores are text. */
export type StoredOpening = [
  task: string, receivedAt: string, revision: string, contentType: string | false, delivery: string, clockMs: number, body: number
]

/**
 * Reads the result of {@link OPEN_DELIVERIES}.
 *
 * @param bodies  to which the result refers
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
