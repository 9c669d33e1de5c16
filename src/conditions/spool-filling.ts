/** The spool is nearly full. */
import { found, type ConditionRule } from './condition.js'
import { spoolFigures } from './spool-waiting.js'

/** The share of `spool.maxBytes` above which the spool is nearly full. */
const FILLING_ABOVE = 0.8

export const spoolFilling: ConditionRule = {
  name: 'spool-filling',
  severity: 'critical',
  of: 'replica',
  isReason: true,
  find ({ spool, now }) {
    // A spool that accepts nothing is reported by `spool-broken`.
    if (spool === null || spool.problem !== null || spool.bytes <= spool.maxBytes * FILLING_ABOVE) return []
    const percent = Math.floor(spool.bytes / spool.maxBytes * 100)
    return found(`the spool is ${percent} % full; when it is full, callbacks are refused`, spoolFigures(spool, now))
  }
}
