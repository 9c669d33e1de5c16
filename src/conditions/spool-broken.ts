/** The spool would accept no callback if Redis were away. */
import { found, type ConditionRule } from './condition.js'

export const spoolBroken: ConditionRule = {
  name: 'spool-broken',
  severity: 'critical',
  of: 'replica',
  isReason: true,
  // While Redis is away, `callbacks-refused` reports it.
  find ({ spool, redisProblem }) {
    if (redisProblem !== null || spool === null || spool.problem === null) return []
    return found(`the spool accepts no callbacks (${spool.problem}): they are refused while Redis is away`)
  }
}
