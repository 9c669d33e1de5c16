/** Redis accepts no writes, and the spool takes the callbacks. */
import { found, type ConditionRule } from './condition.js'

export const redisAway: ConditionRule = {
  name: 'redis-away',
  severity: 'critical',
  of: 'replica',
  isReason: true,
  find: ({ redisProblem, spool }) => found(redisProblem !== null && spool?.problem === null ? `${awayText(redisProblem)}: callbacks are stored in the spool` : null)
}

/** @param problem  Redis's own error code, or `''` */
export function awayText (problem: string): string {
  return `Redis accepts no writes${problem === '' ? '' : ` (${problem})`}`
}
