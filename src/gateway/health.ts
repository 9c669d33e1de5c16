/**
 * The answer to probes: would a callback be answered with 200 now, and what needs
 * an operator although it would?
 */
import { isReason } from '../conditions/list.js'
import type { HealthSnapshot } from '../conditions/snapshot.js'

export interface Health {
  /** A callback would get a 200. */
  ready: boolean
  status: 'ok' | 'degraded'
  /** For an operator, one sentence each; no secrets. */
  reasons: string[]
}

export interface HealthOptions {
  snapshot: () => Promise<HealthSnapshot>
  /** Whether every listener is open: before that, no callbacks must be sent. */
  open: () => boolean
  stopping: () => boolean
}

/** Makes the function that answers. It never rejects and answers within about a second. */
export function createHealth ({ snapshot, open, stopping }: HealthOptions): () => Promise<Health> {
  return async () => {
    if (stopping()) return notReady('the gateway is stopping')
    if (!open()) return notReady('the gateway is starting')
    const { ready, conditions } = await snapshot()
    const reasons = conditions.filter(isReason).map(({ summary }) => summary)
    return { ready, status: reasons.length === 0 ? 'ok' : 'degraded', reasons }
  }
}

function notReady (reason: string): Health {
  return { ready: false, status: 'degraded', reasons: [reason] }
}
