/**
 * The answers of the API as types, for programs in this tree that ask it:
 * what the schemas of the routes say, and nothing besides. Times are ISO 8601,
 * in UTC.
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
/** A delivery as it stands in its event. */
export type DeliveryEntryAnswer = Static<typeof DeliveryEntry>
/** A delivery by itself. */
export type DeliveryAnswer = Static<typeof DeliveryShape>
export type EventAnswer = Static<typeof EventShape>
/** A page of events. */
export type EventsAnswer = Static<typeof EventsShape>
/** One event, looked at. */
export type EventDetailAnswer = Static<typeof EventDetailShape>
export type ReadinessAnswer = Static<typeof Readiness>
/** What a receiver of alerts said to a test. */
export type ReceiverTestAnswer = Static<typeof TestShape>
/** What duplicates are known by when their event has been deleted. */
export type RememberedAnswer = StatsAnswer['remembered']
/** A replay or another order, with how far it has come. */
export type OrderAnswer = Static<typeof OrderShape>
/** What an order that was just given is answered with. */
export type PlacedAnswer = Static<typeof Placed>
export type ReplicaAnswer = StatsAnswer['replicas'][number]
export type StatsAnswer = Static<typeof StatsShape>
export type SubscriberAnswer = Static<typeof SubscriberShape>
