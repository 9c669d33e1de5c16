/**
 * Every condition that there is, the most urgent first. `/readyz`, the alerts
 * and `status` read this list and nothing else.
 */
import type { Condition } from '../model/alert.js'
import { callbacksDenied } from './callbacks-denied.js'
import { callbacksMisdirected } from './callbacks-misdirected.js'
import { callbacksRefused } from './callbacks-refused.js'
import { callbacksTooLarge } from './callbacks-too-large.js'
import { callbacksUnreadable } from './callbacks-unreadable.js'
import { clockSkewed } from './clock-skewed.js'
import { claimsGivenUp } from './claims-given-up.js'
import type { ConditionRule, State } from './condition.js'
import { deliveriesCorrupt } from './deliveries-corrupt.js'
import { deliveriesFailed } from './deliveries-failed.js'
import { deliveriesStalled } from './deliveries-stalled.js'
import { memoryShort } from './memory-short.js'
import { queueCutOff } from './queue-cut-off.js'
import { redisAway } from './redis-away.js'
import { reloadRefused } from './reload-refused.js'
import { replicasDiffer } from './replicas-differ.js'
import { spoolBroken } from './spool-broken.js'
import { spoolFilling } from './spool-filling.js'
import { spoolSetAside } from './spool-set-aside.js'
import { spoolWaiting } from './spool-waiting.js'
import { subscriberFailing } from './subscriber-failing.js'
import { subscriberGone } from './subscriber-gone.js'
import { subscriberOnHold } from './subscriber-on-hold.js'
import { tokensGuessed } from './tokens-guessed.js'

export const CONDITIONS: readonly ConditionRule[] = [
  callbacksRefused, redisAway, queueCutOff,
  spoolBroken, spoolFilling, spoolWaiting, spoolSetAside,
  memoryShort, claimsGivenUp,
  deliveriesStalled, subscriberGone, subscriberFailing, subscriberOnHold, deliveriesFailed, deliveriesCorrupt,
  callbacksDenied, callbacksMisdirected, callbacksUnreadable, callbacksTooLarge,
  tokensGuessed, replicasDiffer, reloadRefused, clockSkewed
]

/** What is true of a state, in the order of the list. */
export function conditionsOf (state: State): Condition[] {
  return CONDITIONS.flatMap(({ name, severity, of, find }) =>
    find(state).map(({ subscriber = null, ...finding }) => ({ name, severity, of, subscriber, ...finding })))
}

const REASONS = new Set(CONDITIONS.filter(({ isReason }) => isReason).map(({ name }) => name))

/** Whether `/readyz` says it. */
export function isReason ({ name }: Condition): boolean {
  return REASONS.has(name)
}
