/** A reload has taken a subscriber away, and nobody has said that it is meant. */
import type { ConditionRule } from './condition.js'
import { replayOfMissing } from './removed-subscribers.js'

export const subscriberRemoved: ConditionRule = {
  name: 'subscriber-removed',
  severity: 'warning',
  of: 'replica',
  isReason: false,
  find: ({ removed }) => removed.map(({ subscriber, at }) => ({
    subscriber,
    summary: `subscriber ${subscriber} is not in the configuration since ${new Date(at).toISOString()}, and no events are collected for it: ` +
      `if that is not meant, put it back, then ${replayOfMissing(subscriber, at)}`,
    figures: { removedAt: at }
  }))
}
