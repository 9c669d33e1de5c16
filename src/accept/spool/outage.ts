/**
 * Tells when callbacks begin to go to the disk and when they go to Redis
 * again: once each, however often Redis was tried in between.
 */
import type { Report } from '../../model/fact.js'
import type { GateState } from './gate.js'
import type { Size } from './stock.js'

export interface Outage {
  /** The gate has changed. */
  change (state: GateState, reason: string): void
}

/** @param size  what waits in the spool */
export function createOutage (report: Report, size: () => Size): Outage {
  let since: number | null = null
  return {
    change (state, reason) {
      if (state === 'shut' && since === null) {
        since = performance.now()
        report({ fact: 'spool.began', reason })
      }
      if (state === 'open' && since !== null) {
        const { callbacks, bytes } = size()
        report({ fact: 'spool.ended', awayMs: Math.round(performance.now() - since), callbacks, bytes })
        since = null
      }
    }
  }
}
