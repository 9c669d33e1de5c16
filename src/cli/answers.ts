/**
 * The admin API's answers, as far as the commands read them. Times are ISO
 * 8601, in UTC. With `--json` a command prints the document itself, whatever
 * else is in it.
 */
import type { DeliveryState } from '../model/delivery.js'

export interface Page<Item> {
  items: Item[]
  /** For `--cursor`; `null` at the end. */
  nextCursor: string | null
}

export interface DeliveryAnswer {
  subscriber: string
  state: DeliveryState
  heldBy: string | null
  /** Made so far. */
  attempts: number
  nextAttemptAt: string | null
  lastStatusCode: number | null
  lastError: string | null
  deliveredAt: string | null
}

export interface EventAnswer {
  id: string
  taskId: string
  status: number
  type: string
  businessId: string | null
  receivedAt: string
  revision: number
  flags: string[]
  duplicates: number
  /** Bytes. */
  size: number
  deliveries: DeliveryAnswer[]
}

export interface AttemptAnswer {
  subscriber: string
  number: number
  at: string
  statusCode: number | null
  error: string | null
  latencyMs: number
  responseExcerpt: string | null
  replayId: string | null
}

/** One event, looked at. */
export interface EventDetailAnswer extends EventAnswer {
  /** Of all deliveries, oldest first. */
  attempts: AttemptAnswer[]
}

export interface SubscriberAnswer {
  name: string
  /** Masked. */
  url: string | null
  enabled: boolean
  pausedBy: string | null
  breaker: string
  /** Why its deliveries wait; `null` when nothing holds them. */
  heldBy: string | null
  /** When that ends by itself; `null` when it does not, missing from gateways that do not tell. */
  heldUntil?: string | null
  counts: { open: number, held: number, failed: number, delivered: number }
  oldestWaitingAt: string | null
  lastSuccessAt: string | null
  lastError: string | null
}

/** Something that an operator should look at. */
export interface AlertAnswer {
  name: string
  severity: string
  subscriber: string | null
  summary: string
  /** `replica`: of the process that answered alone. */
  of: string
  since: string
  /** Names of receivers. */
  toldTo: string[]
}

/** What a receiver of alerts said to a test. */
export interface ReceiverTestAnswer {
  receiver: string
  statusCode: number | null
  error: string | null
}

/** An order was taken, or counted for a dry run: then it has no id. */
export interface PlacedAnswer {
  id: string | null
  /** `null` while it is not counted yet. */
  matched: number | null
  /** There may be more. */
  atLeast?: boolean
}

export interface OrderAnswer {
  id: string
  /** Absent in older gateways, which knew replays only. */
  kind?: string
  state: 'running' | 'done' | 'cancelled'
  /** `null` until it is counted. */
  matched: number | null
  queued: number
  delivered: number
  failed: number
  /** Given up so far, by a discard; of a replay, meanwhile. Absent in older gateways. */
  discarded?: number
  createdAt: string
  finishedAt: string | null
}

export interface ReadinessAnswer {
  status: 'ok' | 'degraded' | 'unavailable'
  reasons: string[]
}

export interface StatsAnswer {
  /** Since the record began. */
  counters: {
    accepted: number
    duplicates: number
    delivered: number
    failed: number
    /** Absent in older gateways. */
    deletedEarly?: number
  }
  /** In the record now. */
  events: number
  /** Of Redis; `null` when it is not known, absent in older gateways. */
  memory?: { usedBytes: number, maxBytes: number } | null
  process: { version: string, uptimeSeconds: number, pid: number, redis: string, configFile: string }
  /** Every gateway that shares its Redis; absent in older gateways. */
  replicas?: ReplicaAnswer[]
}

export interface ReplicaAnswer {
  host: string
  pid: number
  role: string
  version: string
  startedAt: string
  /** A fingerprint. */
  configuration: string
  /** From the configuration that most replicas run. */
  differs: boolean
  /** It is the one that answered. */
  self: boolean
}
