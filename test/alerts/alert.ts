/** Alerts and receivers for tests of the alerts. */
import type { Alert, Condition, Receiver } from '../../src/model/alert.js'

/** A condition of this process, unless it says otherwise. */
export function conditionOf (name: Condition['name'], more: Partial<Condition> = {}): Condition {
  return { name, severity: 'warning', of: 'replica', subscriber: null, summary: `${name} is true`, ...more }
}

/** One that lasts since the beginning of time and was told to nobody. */
export function alertOf (name: Alert['name'], more: Partial<Alert> = {}): Alert {
  return { ...conditionOf(name), since: 0, endedAt: null, told: {}, ...more }
}

export function receiverAt (url: string, more: Partial<Receiver> = {}): Receiver {
  return { name: 'on-call', url, shownUrl: url, headers: {}, secrets: [], tls: null, ...more }
}
