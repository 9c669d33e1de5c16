/**
 * What the admin API needs from the rest of the gateway, and nothing more.
 */
import type { Alert } from '../model/alert.js'
import type { Flag } from '../model/event.js'
import type { Report } from '../model/fact.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Queues } from '../queue/bullmq/queues.js'
import type { RecordStore } from '../record/store.js'

/** A viewer may read, an operator may do everything. */
export type TokenRole = 'operator' | 'viewer'

/** A bearer token; its value is secret. */
export interface Token {
  name: string
  value: string
  role: TokenRole
}

/** A callback that we made up ourselves. */
export interface TestArrival {
  body: Buffer
  contentType: string
  /** Epoch milliseconds. */
  receivedAt: number
  flags: Flag[]
  /** The one subscriber that shall have it; every matching one when left out. */
  only?: string
}

/** What became of it. */
export type TestAcceptance =
  | { kind: 'accepted' | 'duplicate', eventId: string }
  | { kind: 'spooled' }
  | { kind: 'unreadable', field: string | null, problem: string }
  | { kind: 'unavailable', reason: string }

/** One thing that is wrong with a configuration. */
export interface Fault {
  path: string
  message: string
  line: number | null
  column: number | null
  hint?: string
}

/** What waits on the local disk. */
export interface SpoolStatus {
  callbacks: number
  bytes: number
  maxBytes: number
  /** Arrival of the oldest, epoch milliseconds; `null` when nothing waits. */
  oldestAt: number | null
  /** Callbacks go there now. */
  isSpooling: boolean
  /** Why it takes none; `null` when it does. */
  problem: string | null
  /** Files that an operator has to look at. */
  setAside: number
}

/** What a receiver of alerts said to a test. */
export interface ReceiverTest {
  receiver: string
  statusCode: number | null
  /** Why it did not take it; `null` when it did. */
  error: string | null
}

/** What an operator may know of alerts. */
export interface AlertsView {
  /** What lasts, the oldest first. Never rejects. */
  current: () => Promise<Alert[]>
  /** The receivers that have been told of it. */
  toldOf: (alert: Alert) => string[]
  /** Sends every receiver a test. */
  test: () => Promise<ReceiverTest[]>
}

export interface AdminOptions {
  /** Fails fast: an operator would rather be told than wait. */
  store: RecordStore
  queues: Queues
  /** The way in that every callback takes. Never rejects. */
  accept: (arrival: TestArrival) => Promise<TestAcceptance>
  /** Those of the running configuration. */
  subscribers: () => readonly Subscriber[]
  /** Asked at each request. */
  tokens: () => readonly Token[]
  reload: () => Promise<{ changed: string[] } | { faults: Fault[] }>
  /** `ready` while a callback would get a 200. */
  health: () => Promise<{ ready: boolean, status: 'ok' | 'degraded', reasons: string[] }>
  alerts: AlertsView
  /** `null` when this process has no spool. */
  spool: () => SpoolStatus | null
  /** Tells the runner of orders that there is one. */
  wakeReplays: () => void
  /** Shown by `/stats`; `startedAt` in epoch milliseconds, `replicaId` is its own among the replicas. */
  process: () => { version: string, startedAt: number, pid: number, redis: 'managed' | 'external', configFile: string, replicaId: string }
  report: Report
}
