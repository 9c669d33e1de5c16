/**
 * What passes between the record and `deliver`: the delivery that is opened
 * before an attempt, and what the attempt made of it.
 *
 * Words only, no I/O. The record gives {@link Opened} and takes
 * {@link AttemptResult}; `deliver` never reads or writes Redis itself.
 */
import type { Attempt, Delivery, SubscriberHold } from './delivery.js'
import type { Event } from './event.js'
import type { FailReason } from './outcome.js'

/** A delivery as a job finds it. */
export type Opened =
  | {
    kind: 'open'
    event: Event
    delivery: Delivery
    /** As received, byte for byte. */
    body: Buffer
    /** Since this generation was queued, milliseconds; time on hold does not count. */
    ageMs: number
  }
  | { kind: 'closed' } // not open under this generation: nothing is owed
  | { kind: 'on-hold', by: SubscriberHold }

/** What becomes of a delivery after an attempt. */
export type Next =
  | { state: 'delivered' }
  | {
    state: 'retrying'
    /** Epoch milliseconds. */
    nextAttemptAt: number
  }
  | { state: 'failed', reason: FailReason } // `gone` also puts the subscriber on hold, in the same step
  | { state: 'unchanged' } // the attempt was cut off by us and decides nothing

/** One attempt, as it is to be recorded. */
export interface AttemptResult {
  eventId: string
  subscriber: string
  /** The generation the attempt was made for; an older one changes no state. */
  generation: number
  attempt: Attempt
  /** `false` when the attempt was cut off by us. */
  usesBudget: boolean
  next: Next
}
