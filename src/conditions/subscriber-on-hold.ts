/** Deliveries wait because of a hold that only an operator ends. */
import type { ConditionRule } from './condition.js'
import { aboutSubscriber, isGone } from './subscriber-gone.js'

export const subscriberOnHold: ConditionRule = {
  name: 'subscriber-on-hold',
  severity: 'warning',
  of: 'relay',
  isReason: true,
  find: ({ subscribers }) => (subscribers ?? [])
    .filter(status => !isGone(status) && status.counts.open > 0 && status.holds.some(hold => hold !== 'breaker'))
    .map(status => aboutSubscriber(status, `is on hold (${status.holds.join(', ')})`))
}
