/** Deliveries wait because of a hold that an operator can end, or that a subscriber asked for. */
import type { SubscriberStatus } from '../record/read-subscribers.js'
import type { ConditionRule } from './condition.js'
import { aboutSubscriber, isGone } from './subscriber-gone.js'

export const subscriberOnHold: ConditionRule = {
  name: 'subscriber-on-hold',
  severity: 'warning',
  of: 'relay',
  isReason: true,
  find: ({ subscribers }) => (subscribers ?? [])
    .filter(status => !isGone(status) && status.counts.open > 0 && status.holds.some(hold => hold !== 'breaker'))
    .map(status => aboutSubscriber(status, `is on hold (${status.holds.join(', ')})${untilOf(status)}`))
}

function untilOf ({ throttledUntil }: SubscriberStatus): string {
  return throttledUntil === null ? '' : `: it asked for no deliveries until ${new Date(throttledUntil).toISOString()}`
}
