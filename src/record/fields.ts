/**
 * How events, deliveries and attempts are written in Redis, and read again.
 * The Lua scripts of this folder write the same forms; `delivery.lua` explains
 * the letters.
 *
 * Reading never fails: what cannot be read is told as corrupt, row by row, and
 * something harmless stands in its place. `corrupt.lua` says by the same rule
 * which deliveries those are.
 */
import { DELIVERY_STATES, EVENT_HOLDS, SUBSCRIBER_HOLDS, type Attempt, type Delivery, type DeliveryState, type EventHold } from '../model/delivery.js'
import { FLAGS, type Event, type Flag } from '../model/event.js'

/** The fields of an event's hash that describe the event itself, in the order of {@link parseEvent}. */
export const EVENT_FIELDS = [
  'task', 'status', 'type', 'biz', 'at', 'seq', 'rev', 'flags', 'dup', 'size', 'ct', 'subs', 'arr'
] as const

/** The fields of a subscriber's hash that hold its deliveries, in the order of {@link SUBSCRIBER_HOLDS}. */
export const HOLD_FIELDS = SUBSCRIBER_HOLDS.map(hold => 'hold:' + hold)

/** Halves of a surrogate pair: they are no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** What a script is told about a new event; it adds the rest. Well-formed whatever a callback holds. */
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

/** The last error of a delivery that could not be read, or that was owed and whose event could not. */
const CORRUPT = 'corrupt'

/** Unknown, as Fotor says it. */
const UNKNOWN_STATUS = -1

/** The last moment that a date can be, epoch milliseconds. */
const LAST_MOMENT = 8_640_000_000_000_000

export interface StoredEvent {
  event: Event
  /** It has deliveries for. */
  subscribers: string[]
  /** Something of it cannot be read: what stands in its place is a guess. */
  corrupt: boolean
}

/**
 * Reads an event.
 *
 * @param values    of {@link EVENT_FIELDS}, in that order
 * @param sequence  its place in the record by the index, for when it does not say so itself
 * @returns         `null` when there is no such event
 */
export function parseEvent (id: string, values: ReadonlyArray<string | null>, sequence = 0): StoredEvent | null {
  if (values.every(value => value === null)) return null
  const [task, status, type, biz, at, seq, rev, flags, dup, size, ct, subs] = values
  const read = { status: integerIn(status), at: wholeIn(at), place: wholeIn(seq), revision: wholeIn(rev) }
  const place = read.place ?? sequence
  return {
    event: {
      id,
      taskId: task ?? '',
      status: read.status ?? UNKNOWN_STATUS,
      type: type ?? '',
      businessId: biz ?? null,
      receivedAt: read.at ?? Math.floor(place / 1_000),
      sequence: place,
      revision: Math.max(1, read.revision ?? 1),
      flags: split(flags).filter((flag): flag is Flag => (FLAGS as readonly string[]).includes(flag)),
      duplicates: wholeIn(dup) ?? 0,
      size: wholeIn(size) ?? 0,
      contentType: ct ?? 'application/json'
    },
    subscribers: split(subs),
    corrupt: (task ?? '') === '' || Object.values(read).includes(null)
  }
}

/** An event by its whole hash; one whose list of subscribers is lost is told by its deliveries. */
export function parseWholeEvent (id: string, fields: Readonly<Record<string, string>>, sequence: number): StoredEvent | null {
  const parsed = parseEvent(id, EVENT_FIELDS.map(name => fields[name] ?? null), sequence)
  if (parsed !== null && fields['subs'] !== undefined) return parsed
  const subscribers = Object.keys(fields).flatMap(name => name.startsWith('d:') ? [name.slice(2)] : [])
  if (parsed === null && subscribers.length === 0) return null
  return { ...parsed ?? parseEvent(id, [''], sequence)!, subscribers, corrupt: true }
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

/** Reads the delivery of one subscriber from its field. One that cannot be read is failed, and says `corrupt`. */
export function parseDelivery (eventId: string, subscriber: string, json: string): Delivery {
  const stored = readStored(json) ?? { s: 'failed', g: generationIn(json), n: 0, b: 0, q: 0, e: CORRUPT }
  return {
    eventId,
    subscriber,
    state: stored.s,
    heldBy: EVENT_HOLDS.find(hold => hold === stored.h) ?? null,
    generation: stored.g,
    attempts: stored.n,
    budgetUsed: stored.b,
    queuedAt: stored.q,
    nextAttemptAt: stored.s === 'queued' || stored.s === 'retrying' ? momentOr(stored.t) : null,
    lastStatusCode: wholeOr(stored.c),
    lastError: textOr(stored.e),
    deliveredAt: momentOr(stored.d),
    replayId: textOr(stored.r),
    webhookId: textOr(stored.w)
  }
}

/** By the rule of `corrupt.lua`: what a delivery cannot do without. */
function readStored (json: string): StoredDelivery | null {
  const read = objectIn(json) as Partial<StoredDelivery> | null
  if (read === null || !DELIVERY_STATES.includes(read.s as DeliveryState)) return null
  const numbers = [read.g, read.n, read.b, read.q, read.t ?? 0]
  return numbers.every(number => typeof number === 'number') ? read as StoredDelivery : null
}

/** Of a delivery that cannot be read: that of its job, when so much of its text is left; as `corrupt.lua` tells it. */
function generationIn (json: string): number {
  const generation = Number(/"g":(\d+)/.exec(json)?.[1] ?? 1)
  return generation < 1_000_000_000 ? generation : 1
}

/** What of a delivery its field holds, but for the hold clock: that belongs to the Redis it lies in. */
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

/** The inside of an attempt's JSON object; the script puts the number before it. The start comes first: by it the script knows an attempt that is recorded already. */
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

/** What {@link parseAttempts} reads. */
export function linesOfAttempts (attempts: readonly Attempt[]): string {
  return attempts.map(attempt => `{"n":${attempt.number},${attemptFieldsOf(attempt)}}`).join('\n')
}

/**
 * Reads the attempts of one subscriber, oldest first.
 *
 * @returns those that can be read, and whether these are all
 */
export function parseAttempts (lines: string): { attempts: Attempt[], corrupt: boolean } {
  const read = lines.split('\n').filter(line => line !== '').map(parseAttempt)
  const attempts = read.filter((attempt): attempt is Attempt => attempt !== null)
  return { attempts, corrupt: attempts.length < read.length }
}

function parseAttempt (line: string): Attempt | null {
  const stored = objectIn(line)
  const [number, at] = [wholeOr(stored?.['n']), momentOr(stored?.['t'])]
  if (stored === null || number === null || at === null) return null
  const latencyMs = stored['l']
  return {
    number,
    at,
    statusCode: wholeOr(stored['c']),
    error: textOr(stored['e']),
    latencyMs: typeof latencyMs === 'number' && latencyMs >= 0 ? latencyMs : 0,
    responseExcerpt: textOr(stored['x']),
    replayId: textOr(stored['r'])
  }
}

function objectIn (json: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(json) as unknown
    return typeof value === 'object' ? value as Record<string, unknown> | null : null
  } catch {
    return null // whoever asked tells it as corrupt
  }
}

function textOr (value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function wholeOr (value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : null
}

function momentOr (value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= LAST_MOMENT ? value : null
}

function wholeIn (text: string | null | undefined): number | null {
  const whole = /^\d{1,16}$/.test(text ?? '') ? Number(text) : null
  return whole === null || whole > LAST_MOMENT ? null : whole
}

function integerIn (text: string | null | undefined): number | null {
  return /^-?\d{1,16}$/.test(text ?? '') ? Number(text) : null
}

function split (list: string | null | undefined): string[] {
  return list === null || list === undefined || list === '' ? [] : list.split(',')
}
