/**
 * Puts the alerts together: their conditions, the replica that sends those of the
 * relay, and where told notices are stored.
 */
import { join } from 'node:path'
import { createAlerts, type Alerts } from '../alerts/alerts.js'
import { createNotifier } from '../alerts/notifier.js'
import { createOwnStore } from '../alerts/own-store.js'
import type { HealthSnapshot } from '../conditions/snapshot.js'
import type { Config } from '../config/config.js'
import type { Report } from '../model/fact.js'
import { readAlerts, saveAlerts } from '../record/alerts.js'
import type { RecordStore } from '../record/store.js'
import type { Replicas } from './replicas.js'
import type { Teardown } from './teardown.js'

export interface AlertingOptions {
  config: () => Config
  /** A fail-fast connection. */
  store: RecordStore
  snapshot: () => Promise<HealthSnapshot>
  /** Whether every listener is open. */
  open: () => boolean
  replicas: Pick<Replicas, 'isFirst'>
  version: string
  report: Report
  teardown: Teardown
}

/** Makes the alerts; nothing is sent before they are started and the gateway is open. */
export function openAlerts ({ config, store, snapshot, open, replicas, version, report, teardown }: AlertingOptions): Alerts {
  const alerts = createAlerts({
    snapshot: async () => open() ? await snapshot() : null,
    policy: () => config().alerts,
    own: createOwnStore(ownFileOf(config())),
    shared: { read: async () => await readAlerts(store), save: async next => { await saveAlerts(store, next) } },
    isSpeaker: replicas.isFirst,
    notifier: createNotifier({ relay: config().redis.prefix, version, report }),
    report
  })
  teardown.push('alerts', alerts.stop)
  return alerts
}

/** Gateways with different Redis servers may share a data directory, but never the port of their admin listener. */
function ownFileOf ({ dataDir, admin: { listen: { port } } }: Config): string {
  return join(dataDir, `alerts-${port}.json`)
}
