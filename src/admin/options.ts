/**
 * What the admin API needs from the rest of the gateway.
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

/** Access to alerts. */
export interface AlertsView {
  /** Active alerts, the oldest first. Never rejects. */
  current: () => Promise<Alert[]>
  /** The receivers that have been told of it. */
  toldOf: (alert: Alert) => string[]
  /** Sends a test to every receiver. */
  test: () => Promise<NotifyResult[]>
}

export interface AdminOptions {
  /** A fail-fast connection: an operator prefers an error to a wait. */
  store: RecordStore
  queues: Queues
  /** The entry that every callback takes. Never rejects. */
  accept: Accept
  /** Whether a match wants a body; `null` if the body is not a callback. */
  wants: (match: Subscriber['match'], body: Buffer) => boolean | null
  /** The subscribers of the running configuration. */
  subscribers: () => readonly Subscriber[]
  /** Read for each request. */
  tokens: () => readonly Token[]
  /** @param request  `allowRemovals`: subscribers may go although deliveries wait for them */
  reload: (request: { allowRemovals?: boolean }) => Promise<{ changed: string[] } | { faults: Fault[] }>
  /** `ready` while a callback would get a 200. */
  health: () => Promise<{ ready: boolean, status: 'ok' | 'degraded', reasons: string[] }>
  alerts: AlertsView
  /** `null` if this process has no spool. */
  spool: () => SpoolStatus | null
  /** Tells the runner that there is a new order. */
  wakeReplays: () => void
  /** Shown by `/stats`; `startedAt` in epoch milliseconds, `replicaId` identifies this replica. */
  process: () => { version: string, startedAt: number, pid: number, redis: 'managed' | 'external', configFile: string, replicaId: string }
  report: Report
}
