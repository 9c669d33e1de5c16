/**
 * What passes between the record and `deliver`: the delivery that is opened
 * before an attempt, the result of the attempt, and what happens to its job.
 *
 * Only terms, no I/O. `deliver` gets an {@link OpenedDelivery} and returns a
 * {@link Verdict}; it never reads or writes Redis itself.
 */
import type { Attempt, Delivery } from './delivery.js'
import type { Event } from './event.js'
import type { FailReason, Outcome } from './outcome.js'

/** The part of an event that is needed to send it. */
export type OpenedEvent = Pick<Event, 'id' | 'taskId' | 'receivedAt' | 'revision' | 'contentType'>

/** A delivery that may be attempted: open under the job, due, and its subscriber not on hold. */
export interface OpenedDelivery {
  event: OpenedEvent
  delivery: Delivery
  /** As received, byte for byte. */
  body: Buffer
  /** Time since this generation was queued, milliseconds; time on hold does not count. */
  ageMs: number
}

/** The next state of a delivery after an attempt. */
export type NextState =
  | { state: 'delivered' }
  | {
    state: 'retrying'
    /** Wait until the next attempt, milliseconds; the script that writes it adds Redis's clock. */
    waitMs: number
  }
  | { state: 'failed', reason: FailReason } // `gone` also puts the subscriber on hold, in the same step
  | { state: 'unchanged' } // we cut the attempt off: nothing changes

/** One attempt and its result, as it is recorded. */
export interface AttemptResult {
  eventId: string
  subscriber: string
  /** The generation that the attempt was made for; an older one changes no state. */
  generation: number
  attempt: Attempt
  /** `null` if we cut the attempt off: it says nothing about the subscriber. */
  outcome: Outcome | null
  /** `false` if we cut the attempt off. */
  usesBudget: boolean
  next: NextState
  /** The answer throttles the subscriber: none of its deliveries is attempted for this many milliseconds. */
  throttleMs?: number
}

/**
 * What happens to the job after an attempt, or instead of one. `result` is the
 * attempt that was made: it is recorded in the same step.
 */
export type Verdict =
  | {
    kind: 'done' // the delivery is no longer open under this job: finish it
    result?: AttemptResult
  }
  | {
    kind: 'again' // try again
    result?: AttemptResult
    /** Not before this many milliseconds. */
    afterMs: number
  }
  | {
    kind: 'give-back' // back to the front of the queue; no budget is used
    result?: AttemptResult
    /** The subscriber is on hold: its whole queue waits. Otherwise the gateway is stopping. */
    onHold: boolean
  }
