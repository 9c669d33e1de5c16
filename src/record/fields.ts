/**
 * How events, deliveries and attempts are written in Redis, and read again.
 * The Lua scripts of this folder write the same forms; `delivery.lua` explains
 * the letters.
 */
import { SUBSCRIBER_HOLDS, type Attempt, type Delivery, type DeliveryState, type EventHold } from '../model/delivery.js'
import type { Event, Flag } from '../model/event.js'

/** The fields of an event's hash that describe the event itself, in the order of {@link parseEvent}. */
export const EVENT_FIELDS = [
  'task', 'status', 'type', 'biz', 'at', 'seq', 'rev', 'flags', 'dup', 'size', 'ct', 'subs', 'arr'
] as const

/** The fields of a subscriber's hash that hold its deliveries, in the order of {@link SUBSCRIBER_HOLDS}. */
export const HOLD_FIELDS = SUBSCRIBER_HOLDS.map(hold => 'hold:' + hold)

/** Halves of a surrogate pair, which are invalid in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** What a script is told about a new event; it adds the rest. Well-formed whatever a callback contains. */
export function plainFieldsOf (
  event: Pick<Event, 'taskId' | 'type' | 'businessId' | 'receivedAt' | 'size' | 'contentType'>
): Record<string, string | number> {
  return {
    task: event.taskId,
    type: event.type,
    at: event.receivedAt,
    size: event.size,
    ct: event.contentType,
    ...(event.businessId === null ? {} : { biz: event.businessId.replace(LONE_SURROGATE, '\ufffd') })
  }
}

/**
 * Reads an event.
 *
 * @param values  of {@link EVENT_FIELDS}, in that order
 * @returns       the event and the subscribers it has deliveries for; `null` if there is no such event
 */
export function parseEvent (id: string, values: ReadonlyArray<string | null>): { event: Event, subscribers: string[] } | null {
  const [task, status, type, biz, at, seq, rev, flags, dup, size, ct, subs] = values
  if (typeof task !== 'string') return null
  return {
    event: {
      id,
      taskId: task,
      status: Number(status),
      type: type ?? '',
      businessId: biz ?? null,
      receivedAt: Number(at),
      sequence: Number(seq),
      revision: Number(rev),
      flags: split(flags) as Flag[],
      duplicates: Number(dup),
      size: Number(size),
      contentType: ct ?? 'application/json'
    },
    subscribers: split(subs)
  }
}

interface StoredDelivery {
  s: DeliveryState
  h?: EventHold
  g: number
  n: number
  b: number
  q: number
  t?: number
  c?: number
  e?: string
  d?: number
  r?: string
  w?: string
}

/** Reads the delivery of one subscriber from its field. */
export function parseDelivery (eventId: string, subscriber: string, json: string): Delivery {
  const stored = JSON.parse(json) as StoredDelivery
  return {
    eventId,
    subscriber,
    state: stored.s,
    heldBy: stored.h ?? null,
    generation: stored.g,
    attempts: stored.n,
    budgetUsed: stored.b,
    queuedAt: stored.q,
    nextAttemptAt: stored.s === 'queued' || stored.s === 'retrying' ? stored.t ?? null : null,
    lastStatusCode: stored.c ?? null,
    lastError: stored.e ?? null,
    deliveredAt: stored.d ?? null,
    replayId: stored.r ?? null,
    webhookId: stored.w ?? null
  }
}

/** The stored form of a delivery without its hold clock, which belongs to the Redis that holds it. */
export function storedFormOf (delivery: Omit<Delivery, 'eventId' | 'subscriber' | 'queuedAt'>): Omit<StoredDelivery, 'q'> {
  return {
    s: delivery.state,
    g: delivery.generation,
    n: delivery.attempts,
    b: delivery.budgetUsed,
    ...(delivery.heldBy === null ? {} : { h: delivery.heldBy }),
    ...(delivery.nextAttemptAt === null ? {} : { t: delivery.nextAttemptAt }),
    ...(delivery.lastStatusCode === null ? {} : { c: delivery.lastStatusCode }),
    ...(delivery.lastError === null ? {} : { e: delivery.lastError }),
    ...(delivery.deliveredAt === null ? {} : { d: delivery.deliveredAt }),
    ...(delivery.replayId === null ? {} : { r: delivery.replayId }),
    ...(delivery.webhookId === null ? {} : { w: delivery.webhookId })
  }
}

/** The inside of an attempt's JSON object; the script adds the number before it. The start comes first: by it the script recognises an attempt that is already recorded. */
export function attemptFieldsOf (attempt: Attempt): string {
  return JSON.stringify({
    t: attempt.at,
    l: attempt.latencyMs,
    ...(attempt.statusCode === null ? {} : { c: attempt.statusCode }),
    ...(attempt.error === null ? {} : { e: attempt.error }),
    ...(attempt.responseExcerpt === null ? {} : { x: attempt.responseExcerpt }),
    ...(attempt.replayId === null ? {} : { r: attempt.replayId })
  }).slice(1, -1)
}

/** The text that {@link parseAttempts} reads. */
export function linesOfAttempts (attempts: readonly Attempt[]): string {
  return attempts.map(attempt => `{"n":${attempt.number},${attemptFieldsOf(attempt)}}`).join('\n')
}

/** Reads the attempts of one subscriber, oldest first. */
export function parseAttempts (lines: string): Attempt[] {
  return lines.split('\n').filter(line => line !== '').map(line => {
    const stored = JSON.parse(line) as { n: number, t: number, l: number, c?: number, e?: string, x?: string, r?: string }
    return {
      number: stored.n,
      at: stored.t,
      statusCode: stored.c ?? null,
      error: stored.e ?? null,
      latencyMs: stored.l,
      responseExcerpt: stored.x ?? null,
      replayId: stored.r ?? null
    }
  })
}

function split (list: string | null | undefined): string[] {
  return list === null || list === undefined || list === '' ? [] : list.split(',')
}
