/**
 * Alerts: what needs an operator, for as long as it lasts. No I/O.
 *
 * A condition is true now. An alert is a condition with its history: since when
 * it is true, and who has been told.
 */
import type { ClientTls } from './subscriber.js'

/** `critical`: callbacks or deliveries are being lost or refused, or soon will be. `warning`: look at it by day. */
export const SEVERITIES = ['warning', 'critical'] as const
export type Severity = typeof SEVERITIES[number]

/** Something that is true now and that an operator should know. Holds no secret, no path and no address. */
export interface Condition {
  /** One of the names in `conditions/list`; they are fixed, because other programs route by them. */
  name: string
  severity: Severity
  /** `relay`: the same for all replicas; `replica`: true of this process only. */
  of: 'relay' | 'replica'
  /** The name of the subscriber that it concerns; `null` if it concerns none. */
  subscriber: string | null
  /** One sentence. */
  summary: string
  /** The numbers of the summary, for programs; their names end with the unit. */
  figures?: Readonly<Record<string, number>>
}

/** What a receiver is told about an alert. `reminder`: it still lasts. */
export type Notice = 'raised' | 'reminder' | 'resolved'

/** A condition with its history. */
export interface Alert extends Condition {
  /** First seen, epoch milliseconds. */
  since: number
  /** Last seen, if it has ended; epoch milliseconds. */
  endedAt: number | null
  /** By receiver: the last notice, and when it was sent, epoch milliseconds. */
  told: Readonly<Record<string, { notice: Notice, at: number }>>
}

/** A receiver of alerts, as configured. */
export interface Receiver {
  /** `^[a-z][a-z0-9-]{0,62}$`, unique. */
  name: string
  /** http or https; may hold secrets: show `shownUrl`, never this. */
  url: string
  /** May be shown. */
  shownUrl: string
  /** May hold secrets. */
  headers: Readonly<Record<string, string>>
  /** `whsec_…`; every one signs. */
  secrets: readonly string[]
  tls: ClientTls | null
}

/** When alerts are sent, and to whom. */
export interface AlertPolicy {
  /** A condition must last this long before its alert is sent, and be over this long before it is resolved; milliseconds. */
  afterMs: number
  /** A lasting alert is sent again after this time, milliseconds. */
  repeatMs: number
  receivers: readonly Receiver[]
}
