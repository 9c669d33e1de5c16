/**
 * The alerts of the whole relay, stored by the replica that sends them, for its
 * successor. One value: alerts are few, and only one replica writes.
 */
import type { Alert } from '../model/alert.js'
import { runDraining } from '../redis/drain.js'
import type { RecordStore } from './store.js'

/**
 * @returns none if the value is invalid: then everything is told anew
 * @throws  errors of ioredis
 */
export async function readAlerts ({ redis, keys }: RecordStore): Promise<Alert[]> {
  return alertsFrom(await redis.get(keys.alerts) ?? '[]')
}

function alertsFrom (text: string): Alert[] {
  try {
    const found: unknown = JSON.parse(text)
    return Array.isArray(found) ? found as Alert[] : []
  } catch {
    return []
  }
}

/** Replaces them. */
export async function saveAlerts ({ redis, keys }: RecordStore, alerts: readonly Alert[]): Promise<void> {
  if (alerts.length === 0) await redis.del(keys.alerts)
  else await runDraining(redis, keys.alerts, [['SET', keys.alerts, JSON.stringify(alerts)]])
}
