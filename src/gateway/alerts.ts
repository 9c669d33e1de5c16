/**
 * Puts the alerts together: what they are about, who speaks for all replicas,
 * and where is kept what was said.
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
  /** Fails fast. */
  store: RecordStore
  snapshot: () => Promise<HealthSnapshot>
  /** Whether every listener is open. */
  open: () => boolean
  replicas: Pick<Replicas, 'isFirst'>
  version: string
  report: Report
  teardown: Teardown
}

/** Opens them; nobody is told anything before they are started, nor before the gateway is open. */
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

/** Gateways may share a data directory when their Redis is elsewhere, but never the port of their admin listener. */
function ownFileOf ({ dataDir, admin: { listen: { port } } }: Config): string {
  return join(dataDir, `alerts-${port}.json`)
}
