/**
 * The answers of the API as types, for other programs in this tree: exactly the
 * schemas of the routes. Times are ISO 8601, in UTC.
 */
import type { Static } from 'typebox'
import type { AlertShape, TestShape } from './alerts.js'
import type { Readiness } from './health.js'
import type { Placed } from './place-order.js'
import type { AttemptShape, DeliveryEntry, DeliveryShape, EventDetailShape, EventShape, EventsShape, OrderShape, SubscriberShape } from './shapes.js'
import type { StatsShape } from './stats.js'

/** A page of a list. */
export interface Page<Item> {
  items: Item[]
  /** For the next page; `null` at the end. */
  nextCursor: string | null
}

export type AlertAnswer = Static<typeof AlertShape>
export type AttemptAnswer = Static<typeof AttemptShape>
/** A delivery inside its event. */
export type DeliveryEntryAnswer = Static<typeof DeliveryEntry>
/** A delivery as an item of its own. */
export type DeliveryAnswer = Static<typeof DeliveryShape>
export type EventAnswer = Static<typeof EventShape>
/** A page of events. */
export type EventsAnswer = Static<typeof EventsShape>
/** One event in detail. */
export type EventDetailAnswer = Static<typeof EventDetailShape>
export type ReadinessAnswer = Static<typeof Readiness>
/** The answer of a receiver to a test alert. */
export type ReceiverTestAnswer = Static<typeof TestShape>
/** The claims of deleted events, in numbers. */
export type RememberedAnswer = StatsAnswer['remembered']
/** A replay or another order, with its progress. */
export type OrderAnswer = Static<typeof OrderShape>
/** The answer to a new order. */
export type PlacedAnswer = Static<typeof Placed>
export type ReplicaAnswer = StatsAnswer['replicas'][number]
export type StatsAnswer = Static<typeof StatsShape>
export type SubscriberAnswer = Static<typeof SubscriberShape>
