/**
 * What goes into accepting, and what comes out: the two words that `ingest`
 * and every other way in share with `accept`.
 */
import type { Flag } from '../model/event.js'

/** A callback that passed the checks of the listener. */
export interface Arrival {
  /** As received, byte for byte. */
  body: Buffer
  /** As received; `application/json` when there was none. */
  contentType: string
  /** Epoch milliseconds. */
  receivedAt: number
  /** What the way in knows: `unlisted`, `test`, `spooled`, `recovered`. */
  flags: Flag[]
  /** A test event may be meant for one subscriber alone. */
  only?: string
}

/** What became of an arrival. Only the first three may be answered with 200. */
export type Acceptance =
  | { kind: 'accepted', eventId: string }
  | { kind: 'duplicate', eventId: string }
  | { kind: 'spooled' }
  | { kind: 'unreadable', field: string | null, problem: string }
  | { kind: 'unavailable', reason: string }

/** Makes an arrival durable, or says why not. Never rejects. */
export type Accept = (arrival: Arrival) => Promise<Acceptance>
