/**
 * How a condition is written: one file each, a pure judgement of one
 * {@link State}, in the list of `list.ts`.
 */
import type { SpoolStatus } from '../accept/spool/spooling.js'
import type { Condition } from '../model/alert.js'
import type { Hint } from '../model/fact.js'
import type { Claims } from '../record/claims.js'
import type { SubscriberStatus } from '../record/read-subscribers.js'
import type { Memory } from '../redis/memory.js'

/** The conditions about callbacks that were refused. */
export type RefusalName = 'callbacks-denied' | 'callbacks-misdirected' | 'callbacks-unreadable' | 'callbacks-too-large'

/** How many, by condition; one that has none is missing. */
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
  /** Why Redis accepts no writes, in its own word (`OOM`), or `''` when it gives none; `null` while it takes them. */
  redisProblem: string | null
  /** `null` when there is no spool. */
  spool: SpoolStatus | null
  /** Connections of the queue that have been lost for some seconds although Redis is there. */
  lostConnections: readonly string[]
  /** Subscribers whose deliveries are due and have been left alone for a while. */
  stalled: readonly string[]
  /** `null` when it is not known. */
  memory: Memory | null
  /** `null` when it is not known. */
  claims: Claims | null
  /** `null` while the record cannot be read. */
  subscribers: readonly SubscriberStatus[] | null
  /** How far Redis's clock is ahead of ours, milliseconds; `null` when it is not known. */
  skewMs: number | null
  /** How many faults the last refused reload had; 0 when it was not refused. */
  refusedFaults: number
  /** What is wrong among the replicas, in a sentence; `null` when nothing is. */
  replicasTrouble: string | null
  /** Callbacks that were refused within the last hour. */
  refusals: RefusalCounts
  /** Those of them that were misdirected, by how. */
  misdirected: readonly Misdirection[]
  /** Wrong admin tokens that came lately, while they are too many; else 0. */
  guesses: number
}

/** What a condition has found: once, or once for each subscriber. */
export interface Finding extends Pick<Condition, 'summary' | 'figures'> {
  /** None when left out. */
  subscriber?: string
}

/** One condition: what it is called, how bad it is, and when it is true. */
export interface ConditionRule extends Pick<Condition, 'name' | 'severity' | 'of'> {
  /** Whether `/readyz` says it too; the others are for alerts alone. */
  isReason: boolean
  /** Nothing while it is not true. */
  find: (state: State) => Finding[]
}

/** One finding when there is something to say. */
export function found (summary: string | null, figures?: Finding['figures']): Finding[] {
  return summary === null ? [] : [{ summary, ...figures === undefined ? {} : { figures } }]
}
