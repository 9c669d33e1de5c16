/** Neither Redis nor the spool takes callbacks: they are answered 503. */
import { found, type ConditionRule } from './condition.js'
import { awayText } from './redis-away.js'

export const callbacksRefused: ConditionRule = {
  name: 'callbacks-refused',
  severity: 'critical',
  of: 'replica',
  isReason: true,
  find ({ redisProblem, spool }) {
    if (redisProblem === null || spool?.problem === null) return []
    return found(spool === null ? awayText(redisProblem) : `${awayText(redisProblem)}, and the spool accepts no callbacks (${spool.problem})`)
  }
}
