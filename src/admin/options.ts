/**
 * What the admin API needs from the rest of the gateway, and nothing more.
 */
import type { Accept } from '../accept/arrival.js'
import type { SpoolStatus } from '../accept/spool/spooling.js'
import type { NotifyResult } from '../alerts/notifier.js'
import type { Token } from '../config/config.js'
import type { Fault } from '../config/fault.js'
import type { Alert } from '../model/alert.js'
import type { Report } from '../model/fact.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Queues } from '../queue/bullmq/queues.js'
import type { RecordStore } from '../record/store.js'

/** What an operator may know of alerts. */
export interface AlertsView {
  /** What lasts, the oldest first. Never rejects. */
  current: () => Promise<Alert[]>
  /** The receivers that have been told of it. */
  toldOf: (alert: Alert) => string[]
  /** Sends every receiver a test. */
  test: () => Promise<NotifyResult[]>
}

export interface AdminOptions {
  /** Fails fast: an operator would rather be told than wait. */
  store: RecordStore
  queues: Queues
  /** The way in that every callback takes. Never rejects. */
  accept: Accept
  /** Whether a match wants a body; `null` when that is no callback. */
  wants: (match: Subscriber['match'], body: Buffer) => boolean | null
  /** Those of the running configuration. */
  subscribers: () => readonly Subscriber[]
  /** Asked at each request. */
  tokens: () => readonly Token[]
  /** @param request  `allowRemovals`: subscribers may go although deliveries wait for them */
  reload: (request: { allowRemovals?: boolean }) => Promise<{ changed: string[] } | { faults: Fault[] }>
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
