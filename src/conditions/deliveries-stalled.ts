/** Deliveries are due, no hold keeps them, and no worker attempts them. */
import type { SubscriberStatus } from '../record/read-subscribers.js'
import type { ConditionRule } from './condition.js'
import { aboutSubscriber } from './subscriber-gone.js'

/** Whether a subscriber's deliveries have been due for too long without an attempt. */
export function isStalled ({ overdue, failing }: SubscriberStatus): boolean {
  return overdue && !failing
}

export const deliveriesStalled: ConditionRule = {
  name: 'deliveries-stalled',
  severity: 'critical',
  of: 'relay',
  isReason: true,
  find: ({ subscribers, stalled }) => (subscribers ?? [])
    .filter(({ name }) => stalled.includes(name))
    .map(status => aboutSubscriber(status, 'has deliveries that are due, and none has been attempted for a minute'))
}
