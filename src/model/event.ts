/**
 * An event: what one callback became when it was new.
 *
 * Only words live here, no I/O. The record stores events, the admin API shows
 * them and `deliver` sends them; all three mean this.
 */

/** What the gateway noticed about an event. Several may be true at once. */
export type Flag =
  | 'late' // a status 0 that came after a final one
  | 'conflict' // a final status that came after another final one
  | 'unlisted' // the sender was not in `allowFrom`, let through by monitor mode
  | 'spooled' // was on the local disk before it was in Redis
  | 'test' // made by `send` or `POST /test-events`
  | 'verified' // the vendor's API confirmed it
  | 'unverified' // the vendor's API could not be asked
  | 'mismatch' // the vendor's API contradicts it
  | 'recovered' // never called back; found by asking the vendor's API

export const FLAGS: readonly Flag[] = [
  'late', 'conflict', 'unlisted', 'spooled', 'test', 'verified', 'unverified', 'mismatch', 'recovered'
]

/** Names that are kept free for the vendor's API: nothing asks it yet. */
const FLAGS_NOT_SET_YET: readonly Flag[] = ['verified', 'unverified', 'mismatch', 'recovered']

/** The flags as a help text lists them. */
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
  /** The Fotor tenant, `null` when absent or not a string. */
  businessId: string | null
}

/** A recorded event, without its body and deliveries. */
export interface Event extends TaskFields {
  /** `evt_` and 26 characters that sort by time. */
  id: string
  /** Arrival, epoch milliseconds, by the gateway's clock. */
  receivedAt: number
  /** Position in the record: unique, rising with the order of acceptance; microseconds of Redis's clock where possible. */
  sequence: number
  /** 1 for the first content of this task and status, then 2, 3, … */
  revision: number
  flags: Flag[]
  /** How many duplicates were answered since. */
  duplicates: number
  /** Bytes of the body. */
  size: number
  /** As received; `application/json` when there was none. */
  contentType: string
}

/** Statuses after which a task changes no more: all but 0 and -1. */
export function isFinal (status: number): boolean {
  return status !== 0 && status !== -1
}
