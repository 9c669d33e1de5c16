/**
 * What passes between the record and `deliver`: the delivery that is opened
 * before an attempt, what the attempt made of it, and what its job is to do.
 *
 * Words only, no I/O. `deliver` gets {@link OpenedDelivery} and returns a
 * {@link Verdict}; it never reads or writes Redis itself.
 */
import type { Attempt, Delivery } from './delivery.js'
import type { Event } from './event.js'
import type { FailReason, Outcome } from './outcome.js'

/** What of an event is needed to send it. */
export type OpenedEvent = Pick<Event, 'id' | 'taskId' | 'receivedAt' | 'revision' | 'contentType'>

/** A delivery as a job finds it: open under the job, due, and its subscriber not on hold. */
export interface OpenedDelivery {
  event: OpenedEvent
  delivery: Delivery
  /** As received, byte for byte. */
  body: Buffer
  /** Since this generation was queued, milliseconds; time on hold does not count. */
  ageMs: number
}

/** What becomes of a delivery after an attempt. */
export type NextState =
  | { state: 'delivered' }
  | {
    state: 'retrying'
    /** Until the next attempt, milliseconds; whoever writes it adds its own clock, which is Redis's. */
    waitMs: number
  }
  | { state: 'failed', reason: FailReason } // `gone` also puts the subscriber on hold, in the same step
  | { state: 'unchanged' } // the attempt was cut off by us and decides nothing

/** One attempt and what it meant, as it is to be recorded. */
export interface AttemptResult {
  eventId: string
  subscriber: string
  /** The generation the attempt was made for; an older one changes no state. */
  generation: number
  attempt: Attempt
  /** `null` when the attempt was cut off by us: it says nothing of the subscriber. */
  outcome: Outcome | null
  /** `false` when the attempt was cut off by us. */
  usesBudget: boolean
  next: NextState
  /** The answer throttles the subscriber: none of its deliveries for this many milliseconds. */
  throttleMs?: number
}

/**
 * What becomes of the job after an attempt, or instead of one. `result` is the
 * attempt that was made: it goes on record in the same step.
 */
export type Verdict =
  | {
    kind: 'done' // the delivery is no longer open under this job: finish it
    result?: AttemptResult
  }
  | {
    kind: 'again' // try again
    result?: AttemptResult
    /** Not before so many milliseconds. */
    afterMs: number
  }
  | {
    kind: 'give-back' // back to the front of the queue, nothing used
    result?: AttemptResult
    /** The subscriber is on hold: its whole queue waits. Otherwise we are stopping. */
    onHold: boolean
  }
