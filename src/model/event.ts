/**
 * An event: the record of a callback that was new.
 *
 * Only terms, no I/O. The record stores events, the admin API shows them and
 * `deliver` sends them; all three use these definitions.
 */

/** What the gateway noticed about an event. Several flags may be set. */
export type Flag =
  | 'late' // a status 0 that arrived after a final status
  | 'conflict' // a final status that arrived after another final status
  | 'unlisted' // the sender was not in `allowFrom`; monitor mode accepted the callback
  | 'spooled' // was on the local disk before it was in Redis
  | 'test' // made by `send` or `POST /test-events`
  | 'verified' // the vendor's API confirmed it
  | 'unverified' // the vendor's API could not be asked
  | 'mismatch' // the vendor's API contradicts it
  | 'recovered' // never called back; found by asking the vendor's API

export const FLAGS: readonly Flag[] = [
  'late', 'conflict', 'unlisted', 'spooled', 'test', 'verified', 'unverified', 'mismatch', 'recovered'
]

/** Names that are reserved for the vendor's API: nothing calls it yet. */
const FLAGS_NOT_SET_YET: readonly Flag[] = ['verified', 'unverified', 'mismatch', 'recovered']

/** The flags as listed in help texts. */
export const FLAG_CHOICES = FLAGS.filter(flag => !FLAGS_NOT_SET_YET.includes(flag)).join(', ') +
  ` (not set yet: ${FLAGS_NOT_SET_YET.join(', ')})`

/** The fields of a callback that the gateway understands. */
export interface TaskFields {
  /** 1–256 characters, as received. */
  taskId: string
  /** Any integer; Fotor documents 0, 1 and 2. `"1"` and `1` are one status. */
  status: number
  /** 1–128 characters, case-sensitive, an open set. */
  type: string
  /** The Fotor tenant; `null` if absent or not a string. */
  businessId: string | null
}

/** A recorded event, without its body and deliveries. */
export interface Event extends TaskFields {
  /** `evt_` and 26 characters that sort by time. */
  id: string
  /** Arrival time, epoch milliseconds, by the gateway's clock. */
  receivedAt: number
  /** Position in the record: unique, rising with the order of acceptance; if possible, microseconds of Redis's clock. */
  sequence: number
  /** 1 for the first content of this task and status, then 2, 3, … */
  revision: number
  flags: Flag[]
  /** Number of duplicates since. */
  duplicates: number
  /** Bytes of the body. */
  size: number
  /** As received; `application/json` if there was none. */
  contentType: string
}

/** Statuses after which a task does not change any more: all but 0 and -1. */
export function isFinal (status: number): boolean {
  return status !== 0 && status !== -1
}
