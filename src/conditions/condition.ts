/**
 * The form of a condition: one file each, a pure function of one {@link State}, in
 * the list of `list.ts`.
 */
import type { SpoolStatus } from '../accept/spool/spooling.js'
import type { Condition } from '../model/alert.js'
import type { Hint } from '../model/fact.js'
import type { LogStatus } from '../model/log-status.js'
import type { Claims } from '../record/claims.js'
import type { SubscriberStatus } from '../record/read-subscribers.js'
import type { Memory } from '../redis/memory.js'

/** The conditions about callbacks that were refused. */
export type RefusalName = 'callbacks-denied' | 'callbacks-misdirected' | 'callbacks-unreadable' | 'callbacks-too-large'

/** A subscriber that a reload has taken away. */
export interface RemovedSubscriber {
  subscriber: string
  /** Epoch milliseconds. */
  at: number
}

/** The number of refusals by condition; one without any is missing. */
export type RefusalCounts = Readonly<Partial<Record<RefusalName, number>>>

/** One way in which callbacks were misdirected. */
export interface Misdirection {
  /** Of the fact. */
  reason: string
  /** `null` when it looked like nothing known. */
  hint: Hint | null
  /** ≥ 1. */
  count: number
}

/** What is known at one moment; conditions are judged by this and by nothing else. */
export interface State {
  /** Epoch milliseconds. */
  now: number
  /** Why Redis accepts no writes, as its own error code (`OOM`), or `''` if there is none; `null` while it accepts them. */
  redisProblem: string | null
  /** `null` if there is no spool. */
  spool: SpoolStatus | null
  log: LogStatus
  /** Connections of the queue that have been lost for some seconds although Redis is there. */
  lostConnections: readonly string[]
  /** Subscribers whose deliveries have been due for a while without an attempt. */
  stalled: readonly string[]
  /** `null` if unknown. */
  memory: Memory | null
  /** `null` if unknown. */
  claims: Claims | null
  /** `null` while the record cannot be read. */
  subscribers: readonly SubscriberStatus[] | null
  /** How far Redis's clock is ahead of ours, milliseconds; `null` if unknown. */
  skewMs: number | null
  /** Number of faults of the last refused reload; 0 if it was not refused. */
  refusedFaults: number
  /** What is wrong among the replicas, in a sentence; `null` if nothing is. */
  replicasTrouble: string | null
  /** Number of callbacks that were refused within the last hour. */
  refusals: RefusalCounts
  /** Those of them that were misdirected, by how. */
  misdirected: readonly Misdirection[]
  /** Wrong admin tokens that came lately, while they are too many; else 0. */
  guesses: number
  /** Subscribers that a reload has taken away within the last hour, and nobody has said that it is meant. */
  removed: readonly RemovedSubscriber[]
}

/** The finding of a condition: one, or one for each subscriber. */
export interface Finding extends Pick<Condition, 'summary' | 'figures'> {
  /** Absent if it concerns no subscriber. */
  subscriber?: string
}

/** One condition: its name, its severity, and when it is true. */
export interface ConditionRule extends Pick<Condition, 'name' | 'severity' | 'of'> {
  /** Whether `/readyz` shows it; the others are for alerts only. */
  isReason: boolean
  /** Empty while it is not true. */
  find: (state: State) => Finding[]
}

/** One finding if there is a summary. */
export function found (summary: string | null, figures?: Finding['figures']): Finding[] {
  return summary === null ? [] : [{ summary, ...figures === undefined ? {} : { figures } }]
}
