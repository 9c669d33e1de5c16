/**
 * Reports when callbacks begin to go to the disk and when they go to Redis again:
 * once each, however often Redis was tried in between.
 */
import type { Report } from '../../model/fact.js'
import type { RedisBreakerState } from './breaker.js'
import type { SpoolSize } from './stock.js'

export interface Outage {
  /** The breaker has changed its state. */
  change (state: RedisBreakerState, reason: string): void
}

/** @param size  of the waiting callbacks in the spool */
export function createOutage (report: Report, size: () => SpoolSize): Outage {
  let since: number | null = null
  return {
    change (state, reason) {
      if (state === 'open' && since === null) {
        since = performance.now()
        report({ fact: 'spool.began', reason })
      }
      if (state === 'closed' && since !== null) {
        const { callbacks, bytes } = size()
        report({ fact: 'spool.ended', awayMs: Math.round(performance.now() - since), callbacks, bytes })
        since = null
      }
    }
  }
}
