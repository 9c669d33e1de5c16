/**
 * A delivery: one event owed to one subscriber, and the attempts made for it.
 */

export type DeliveryState = 'queued' | 'retrying' | 'delivered' | 'failed' | 'held' | 'discarded'

export const DELIVERY_STATES: readonly DeliveryState[] = [
  'queued', 'retrying', 'delivered', 'failed', 'held', 'discarded'
]

/** Why all deliveries of a subscriber wait, in the order in which a hold is shown first. Facts of the subscriber, never stored in a delivery. */
export const SUBSCRIBER_HOLDS = ['removed', 'disabled', 'gone', 'pause', 'throttle', 'breaker'] as const
export type SubscriberHold = typeof SUBSCRIBER_HOLDS[number]

/** Why a single delivery waits. Stored in the delivery. */
export const EVENT_HOLDS = ['verify', 'conflict'] as const
export type EventHold = typeof EVENT_HOLDS[number]

export type HeldBy = SubscriberHold | EventHold

/**
 * A delivery as the record stores it.
 *
 * `state` is `held` here only for an {@link EventHold}. A delivery that is
 * `queued` or `retrying` while its subscriber is on hold is *shown* as `held`
 * (see `shownState`), so that one write pauses a subscriber with a million
 * deliveries.
 */
export interface Delivery {
  eventId: string
  subscriber: string
  state: DeliveryState
  heldBy: EventHold | null
  /** Current generation, from 1; its job is `<eventId>-<generation>`. */
  generation: number
  /** Number of attempts over all generations. */
  attempts: number
  /** Attempts of this generation that have used its budget. */
  budgetUsed: number
  /** The subscriber's hold clock when this generation was queued, milliseconds (see `record/holds`). */
  queuedAt: number
  /** Time of the next attempt, epoch milliseconds; `null` if none is planned. */
  nextAttemptAt: number | null
  lastStatusCode: number | null
  lastError: string | null
  /** Epoch milliseconds; `null` until delivered. */
  deliveredAt: number | null
  /** The replay that queued this generation. */
  replayId: string | null
  /** The `webhook-id` that a replay with `newId` has set; `null` means the event's id. */
  webhookId: string | null
}

/** One request made for a delivery, and what came back. */
export interface Attempt {
  /** From 1, over all generations of the delivery. */
  number: number
  /** Start, epoch milliseconds. */
  at: number
  /** 100–599; `null` if no answer came. */
  statusCode: number | null
  /** The failure, or why the answer was not enough; `null` if delivered. */
  error: string | null
  /** From start to the end of the answer, milliseconds. */
  latencyMs: number
  /** The first kilobyte of the answer's body, as text; `null` if there was none. */
  responseExcerpt: string | null
  replayId: string | null
}

/** The state of a delivery as it is shown: the stored one, or `held` with the subscriber's hold. */
export function shownState (
  delivery: Pick<Delivery, 'state' | 'heldBy'>,
  hold: SubscriberHold | null
): { state: DeliveryState, heldBy: HeldBy | null } {
  const waits = delivery.state === 'queued' || delivery.state === 'retrying'
  if (waits && hold !== null) return { state: 'held', heldBy: hold }
  return { state: delivery.state, heldBy: delivery.heldBy }
}

/** The id of the job of this generation of a delivery. Never contains text that a user chose. */
export function jobIdOf (eventId: string, generation: number): string {
  return `${eventId}-${generation}`
}

/** The parts of a job id, or `null` if it is not one of ours. */
export function parseJobId (jobId: string): { eventId: string, generation: number } | null {
  const parts = /^(evt_[0-9A-Z]{26})-([1-9]\d{0,9})$/.exec(jobId)
  if (parts === null) return null
  return { eventId: parts[1]!, generation: Number(parts[2]) }
}
