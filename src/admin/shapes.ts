/**
 * What callers are shown, field by field: the shapes of the API and how the
 * record's words become them.
 *
 * Names are fixed. Times are ISO 8601 in UTC, or null. No shape has a field
 * for a body, a header, or a URL with its secrets.
 */
import { Type, type Static, type TSchema } from 'typebox'
import { DELIVERY_STATES, EVENT_HOLDS, SUBSCRIBER_HOLDS, type Attempt } from '../model/delivery.js'
import { FLAGS } from '../model/event.js'
import type { EventHistory } from '../record/read-event.js'
import type { ShownDelivery, ShownEvent } from '../record/select.js'
import { ORDER_KINDS } from '../replay/order.js'
import type { OrderProgress } from '../replay/orders.js'

const HELD_BY = [...SUBSCRIBER_HOLDS, ...EVENT_HOLDS] as const

/** Or null. */
export const nullable = <T extends TSchema>(schema: T, options: { description?: string } = {}) => Type.Union([schema, Type.Null()], options)
/** One of these texts. */
export const oneOf = <T extends string>(values: readonly T[], options: { description?: string } = {}) => Type.Enum([...values] as T[], options)
/** A list with its cursor. */
export const listOf = <T extends TSchema>(item: T) => Type.Object({
  items: Type.Array(item),
  nextCursor: nullable(Type.String(), { description: 'for the query parameter cursor; null at the end' })
})
/** A whole number, not negative. */
export const Count = Type.Integer({ minimum: 0 })
/** A time. */
export const Time = Type.String({ format: 'date-time' })

const deliveryEntry = {
  subscriber: Type.String(),
  state: oneOf(DELIVERY_STATES),
  heldBy: nullable(oneOf(HELD_BY), { description: 'verify is not set yet' }),
  attempts: Count,
  nextAttemptAt: nullable(Time),
  lastStatusCode: nullable(Type.Integer()),
  lastError: nullable(Type.String(), { description: 'why the last attempt did not deliver; backlog or corrupt when it failed for that, without an attempt' }),
  deliveredAt: nullable(Time)
}

export const DeliveryEntry = Type.Object(deliveryEntry)
export const DeliveryShape = Type.Object({
  eventId: Type.String(), taskId: Type.String(), type: Type.String(), status: Type.Integer(), ...deliveryEntry
})

const event = {
  id: Type.String(),
  taskId: Type.String(),
  status: Type.Integer(),
  type: Type.String(),
  businessId: nullable(Type.String()),
  receivedAt: Time,
  revision: Type.Integer({ minimum: 1 }),
  flags: Type.Array(oneOf(FLAGS)),
  duplicates: Count,
  size: Type.Integer({ minimum: 0, description: 'bytes of the body' }),
  corrupt: Type.Optional(Type.Boolean({ description: 'true when something of it cannot be read in Redis: what stands in its place is a guess' })),
  deliveries: Type.Array(DeliveryEntry)
}
export const EventShape = Type.Object(event)
export const EventsShape = Type.Object({
  ...listOf(EventShape).properties,
  total: Type.Optional(Type.Integer({ minimum: 0, description: 'how many events are on all pages; only where taskId is the only filter' }))
})

export const AttemptShape = Type.Object({
  subscriber: Type.String(),
  number: Type.Integer({ minimum: 1 }),
  at: Time,
  statusCode: nullable(Type.Integer()),
  error: nullable(Type.String()),
  latencyMs: Type.Number({ minimum: 0 }),
  responseExcerpt: nullable(Type.String()),
  replayId: nullable(Type.String())
})

export const EventDetailShape = Type.Object({
  ...event,
  attempts: Type.Array(AttemptShape, { description: 'of all deliveries, oldest first' })
})

export const OrderShape = Type.Object({
  id: Type.String(),
  kind: oneOf(ORDER_KINDS, { description: 'what is done to the deliveries; a purge deletes events' }),
  state: oneOf(['running', 'done', 'cancelled']),
  matched: nullable(Count, { description: 'deliveries that are meant, of a purge events; null until they are counted' }),
  queued: Type.Integer({ minimum: 0, description: 'put back in their queues so far' }),
  delivered: Count,
  failed: Count,
  discarded: Type.Integer({ minimum: 0, description: 'given up so far; of a replay: after they had been put back' }),
  purged: Type.Integer({ minimum: 0, description: 'events deleted so far' }),
  createdAt: Time,
  finishedAt: nullable(Time)
})

export const SubscriberShape = Type.Object({
  name: Type.String(),
  url: nullable(Type.String(), { description: 'with its secrets masked; null when it is configured no more' }),
  enabled: Type.Boolean(),
  pausedBy: nullable(oneOf(['operator', 'gone'])),
  breaker: oneOf(['closed', 'open', 'half-open']),
  heldBy: nullable(oneOf(HELD_BY), { description: 'why its deliveries wait' }),
  heldUntil: nullable(Time, { description: 'when a throttle ends by itself; null for other holds' }),
  counts: Type.Object({ open: Count, held: Count, failed: Count, delivered: Count }),
  oldestWaitingAt: nullable(Time),
  lastSuccessAt: nullable(Time),
  lastError: nullable(Type.String())
})

/** Epoch milliseconds as callers see them. */
export function timeOf (ms: number): string
export function timeOf (ms: number | null): string | null
export function timeOf (ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

/** An event as an item of a list. */
export function showEvent ({ event, corrupt, deliveries }: ShownEvent): Static<typeof EventShape> {
  return {
    id: event.id,
    taskId: event.taskId,
    status: event.status,
    type: event.type,
    businessId: event.businessId,
    receivedAt: timeOf(event.receivedAt),
    revision: event.revision,
    flags: event.flags,
    duplicates: event.duplicates,
    size: event.size,
    ...corrupt === undefined ? {} : { corrupt },
    deliveries: deliveries.map(showDeliveryEntry)
  }
}

/** An event with everything that is known of it but its body. */
export function showEventDetail (history: EventHistory): Static<typeof EventDetailShape> {
  const attempts = [...history.attempts].flatMap(([subscriber, made]) => made.map(attempt => ({ subscriber, attempt })))
  attempts.sort((a, b) => a.attempt.at - b.attempt.at)
  return { ...showEvent(history), attempts: attempts.map(({ subscriber, attempt }) => showAttempt(subscriber, attempt)) }
}

/** A delivery as an item of a list of its own. */
export function showDelivery ({ event }: ShownEvent, delivery: ShownDelivery): Static<typeof DeliveryShape> {
  return { eventId: event.id, taskId: event.taskId, type: event.type, status: event.status, ...showDeliveryEntry(delivery) }
}

/** An order, with how far it has come. */
export function showOrder ({ order: _, createdAt, finishedAt, ...order }: OrderProgress): Static<typeof OrderShape> {
  return { ...order, createdAt: timeOf(createdAt), finishedAt: timeOf(finishedAt) }
}

function showDeliveryEntry (delivery: ShownDelivery): Static<typeof DeliveryEntry> {
  const { shown } = delivery
  return {
    subscriber: delivery.subscriber,
    state: shown.state,
    heldBy: shown.heldBy,
    attempts: delivery.attempts,
    nextAttemptAt: timeOf(shown.nextAttemptAt),
    lastStatusCode: delivery.lastStatusCode,
    lastError: delivery.lastError,
    deliveredAt: timeOf(delivery.deliveredAt)
  }
}

function showAttempt (subscriber: string, attempt: Attempt): Static<typeof AttemptShape> {
  return {
    subscriber,
    number: attempt.number,
    at: timeOf(attempt.at),
    statusCode: attempt.statusCode,
    error: attempt.error,
    latencyMs: attempt.latencyMs,
    responseExcerpt: attempt.responseExcerpt,
    replayId: attempt.replayId
  }
}
