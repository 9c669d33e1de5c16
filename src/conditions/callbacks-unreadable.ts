/** Callbacks from an allowed address could not be read. */
import type { ConditionRule } from './condition.js'
import { findRefusals } from './refusal-counts.js'

export const callbacksUnreadable: ConditionRule = {
  name: 'callbacks-unreadable',
  severity: 'warning',
  of: 'replica',
  isReason: false,
  find: ({ refusals }) => findRefusals(refusals['callbacks-unreadable'], 'could not be read, and was answered 400: check whether the vendor has changed its format')
}
