/** Lines of the log are dropped: nothing waits for them, and nobody can read them later. */
import { found, type ConditionRule } from './condition.js'

export const logBroken: ConditionRule = {
  name: 'log-broken',
  severity: 'warning',
  of: 'replica',
  isReason: true,
  find ({ log: { problem, dropped } }) {
    if (problem === null) return []
    const lines = dropped === 0 ? 'its lines wait' : `${dropped} ${dropped === 1 ? 'line is' : 'lines are'} lost`
    return found(`the log is not written (${problem}): ${lines}, everything else goes on`, { lines: dropped })
  }
}
