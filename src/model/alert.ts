/**
 * Alerts: what an operator should look at, as long as it lasts. No I/O.
 *
 * A condition is what is true now. An alert is a condition with its history:
 * since when, and who has been told.
 */
import type { ClientTls } from './subscriber.js'

/** Every condition that there is; names are fixed, other programs route by them. */
export const CONDITION_NAMES = [
  'redis-away', 'queue-cut-off', 'callbacks-refused', 'spool-waiting', 'spool-filling', 'spool-broken', 'spool-set-aside',
  'callbacks-denied', 'callbacks-unreadable', 'callbacks-too-large', 'callbacks-misdirected', 'tokens-guessed',
  'subscriber-gone', 'subscriber-failing', 'subscriber-on-hold', 'deliveries-failed', 'deliveries-corrupt',
  'memory-short', 'claims-given-up', 'replicas-differ', 'reload-refused', 'clock-skewed', 'deliveries-stalled'
] as const
export type ConditionName = typeof CONDITION_NAMES[number]

/** `critical`: callbacks or deliveries are being lost or refused, or soon will be. `warning`: look at it by day. */
export const SEVERITIES = ['warning', 'critical'] as const
export type Severity = typeof SEVERITIES[number]

/** Something that is true now and that an operator should know. Holds no secret, no path and no address. */
export interface Condition {
  name: ConditionName
  severity: Severity
  /** What it is true of: `relay` is the same for all replicas, `replica` is this process alone. */
  of: 'relay' | 'replica'
  /** The name of the subscriber that it is about; `null` when it is about none. */
  subscriber: string | null
  /** One sentence. */
  summary: string
  /** The numbers in it, for programs; units at the end of their names. */
  figures?: Readonly<Record<string, number>>
}

/** What a receiver is told of an alert. `reminder`: it still lasts. */
export type Notice = 'raised' | 'reminder' | 'resolved'

/** A condition, and who knows of it. */
export interface Alert extends Condition {
  /** First seen, epoch milliseconds. */
  since: number
  /** Last seen, when it is over; epoch milliseconds. */
  endedAt: number | null
  /** By receiver: what it was told last, and when, epoch milliseconds. */
  told: Readonly<Record<string, { notice: Notice, at: number }>>
}

/** Who is told of alerts, as configuration describes it. */
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

/** When who is told. */
export interface AlertPolicy {
  /** What lasts shorter is not told, and what is over for shorter is not resolved; milliseconds. */
  afterMs: number
  /** What lasts is told again this much later, milliseconds. */
  repeatMs: number
  receivers: readonly Receiver[]
}
