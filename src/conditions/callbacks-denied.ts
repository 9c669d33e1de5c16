/** Callbacks that look like the vendor's came from an address that is not allowed. */
import type { ConditionRule } from './condition.js'
import { findRefusals } from './refusal-counts.js'

export const callbacksDenied: ConditionRule = {
  name: 'callbacks-denied',
  severity: 'warning',
  of: 'replica',
  isReason: false,
  find: ({ refusals }) => findRefusals(refusals['callbacks-denied'],
    'came from an address that is not in ingest.allowFrom, and was answered 403: check whether the vendor has a new address, or a proxy is missing in ingest.trustedProxies')
}
