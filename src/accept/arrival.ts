/**
 * The input and the result of accepting: the types that `ingest` and every other
 * entry share with `accept`.
 */
import type { Flag } from '../model/event.js'

/** A callback that passed the checks of the listener. */
export interface Arrival {
  /** As received, byte for byte. */
  body: Buffer
  /** As received; `application/json` if there was none. */
  contentType: string
  /** Epoch milliseconds. */
  receivedAt: number
  /** Flags that the entry sets: `unlisted`, `test`, `spooled`, `recovered`. */
  flags: Flag[]
  /** A test event may be for one subscriber only. */
  only?: string
}

/** The result for an arrival. Only the first three may be answered with 200. */
export type Acceptance =
  | { kind: 'accepted', eventId: string }
  | { kind: 'duplicate', eventId: string }
  | { kind: 'spooled' }
  | { kind: 'unreadable', field: string | null, problem: string }
  | { kind: 'unavailable', reason: string }

/** Makes an arrival durable, or says why it could not. Never rejects. */
export type Accept = (arrival: Arrival) => Promise<Acceptance>
