/** Redis takes callbacks, but the workers have lost their connections. */
import { found, type ConditionRule } from './condition.js'

/** Maximum number of names in the summary. */
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
