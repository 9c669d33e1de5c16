/** A subscriber answered 410: it wants no more events. */
import type { SubscriberStatus } from '../record/read-subscribers.js'
import type { ConditionRule, Finding } from './condition.js'

export const subscriberGone: ConditionRule = {
  name: 'subscriber-gone',
  severity: 'critical',
  of: 'relay',
  isReason: true,
  find: ({ subscribers }) => (subscribers ?? []).filter(isGone).map(status => aboutSubscriber(status, 'answered 410 and is on hold'))
}

/** Whether it has answered 410 and has not been resumed since. */
export function isGone ({ holds }: SubscriberStatus): boolean {
  return holds.includes('gone')
}

/** A finding about one subscriber, with the number of its waiting deliveries. */
export function aboutSubscriber ({ name, counts: { open } }: SubscriberStatus, says: string): Finding {
  return { subscriber: name, summary: `subscriber ${name} ${says}${open === 0 ? '' : `, ${open} waiting`}`, figures: { waiting: open } }
}
