/** The clock of this gateway and that of Redis differ. */
import { found, type ConditionRule } from './condition.js'

/** Clocks that are synchronised by the network differ by less, milliseconds. */
const SKEWED_ABOVE_MS = 5_000

export const clockSkewed: ConditionRule = {
  name: 'clock-skewed',
  severity: 'warning',
  of: 'replica',
  isReason: true,
  find ({ skewMs }) {
    if (skewMs === null || Math.abs(skewMs) <= SKEWED_ABOVE_MS) return []
    const seconds = Math.round(Math.abs(skewMs) / 1_000)
    return found(`the clock of this gateway is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} Redis's: times in its log, its signatures and receivedAt are wrong; ` +
      'deliveries follow Redis\'s clock', { skewMs })
  }
}
