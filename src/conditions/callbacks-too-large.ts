/** Callbacks from an allowed address were larger than `ingest.maxBody`. */
import type { ConditionRule } from './condition.js'
import { findRefusals } from './refusal-counts.js'

export const callbacksTooLarge: ConditionRule = {
  name: 'callbacks-too-large',
  severity: 'warning',
  of: 'replica',
  isReason: false,
  find: ({ refusals }) => findRefusals(refusals['callbacks-too-large'], 'was larger than ingest.maxBody, and was answered 413: increase the limit, or ask the vendor')
}
