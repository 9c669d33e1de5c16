/** A subscriber's attempts fail: its breaker holds it, or its last answer was not a success. */
import type { SubscriberStatus } from '../record/read-subscribers.js'
import type { ConditionRule, Finding } from './condition.js'
import { aboutSubscriber } from './subscriber-gone.js'

export const subscriberFailing: ConditionRule = {
  name: 'subscriber-failing',
  severity: 'warning',
  of: 'relay',
  isReason: true,
  find: ({ subscribers }) => (subscribers ?? []).flatMap(findFailing)
}

function findFailing (status: SubscriberStatus): Finding[] {
  const { holds, counts, failing } = status
  if (holds.some(hold => hold !== 'breaker')) return []
  if (holds.length > 0) return counts.open === 0 ? [] : [aboutSubscriber(status, 'is on hold (breaker)')]
  return failing ? [aboutSubscriber(status, 'is failing')] : []
}
