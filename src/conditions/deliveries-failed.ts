/** Deliveries have failed: they are not attempted again unless an operator replays them. */
import type { ConditionRule } from './condition.js'

export const deliveriesFailed: ConditionRule = {
  name: 'deliveries-failed',
  severity: 'warning',
  of: 'relay',
  isReason: false,
  find: ({ subscribers }) => (subscribers ?? []).filter(({ counts }) => counts.failed > 0).map(({ name: subscriber, counts: { failed } }) => {
    const [deliveries, them] = failed === 1 ? ['delivery', 'it'] : ['deliveries', 'them']
    return { subscriber, summary: `${failed} ${deliveries} to subscriber ${subscriber} failed permanently: replay or discard ${them}`, figures: { failed } }
  })
}
