/** The spool has callbacks of earlier processes that this one may not touch. */
import { found, type ConditionRule } from './condition.js'

export const spoolUnreachable: ConditionRule = {
  name: 'spool-unreachable',
  severity: 'critical',
  of: 'replica',
  isReason: true,
  find ({ spool }) {
    if (spool === null || spool.unreachable === 0) return []
    const { unreachable: places } = spool
    return found(`the spool has ${places} ${places === 1 ? 'place' : 'places'} with acknowledged callbacks that this process cannot take over, so nobody delivers them: ` +
      'the log (spool.trouble) says which and why', { places })
  }
}
