/** Redis takes callbacks, and what delivers them has lost its connection. */
import { found, type ConditionRule } from './condition.js'

/** As many names as one can read. */
const MOST_NAMES = 5

export const queueCutOff: ConditionRule = {
  name: 'queue-cut-off',
  severity: 'critical',
  of: 'replica',
  isReason: true,
  find ({ lostConnections: lost }) {
    if (lost.length === 0) return []
    const names = lost.slice(0, MOST_NAMES).join(', ') + (lost.length > MOST_NAMES ? ` and ${lost.length - MOST_NAMES} more` : '')
    return found(`Redis takes callbacks, but connections of the queue are lost (${names}): deliveries of this process stop or are late`)
  }
}
