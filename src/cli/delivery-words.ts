/**
 * Deliveries in a word or a line, and the colour of each state.
 */
import type { DeliveryState } from '../model/delivery.js'
import type { DeliveryEntryAnswer } from '../admin/answers.js'
import type { Paint } from './colour.js'

const COLOURS: Readonly<Record<DeliveryState, keyof Paint>> = {
  queued: 'cyan', retrying: 'yellow', delivered: 'green', failed: 'red', held: 'yellow', discarded: 'dim'
}

/** The worst first: what somebody should look at stands where it is seen. */
const BY_URGENCY: readonly DeliveryState[] = ['failed', 'held', 'retrying', 'queued', 'discarded', 'delivered']

/** A state in its colour; unknown ones as they are. */
export function paintState (state: DeliveryState, paint: Paint, text: string = state): string {
  const colour = COLOURS[state] as keyof Paint | undefined
  return colour === undefined ? text : paint[colour](text)
}

/** `1 failed, 2 delivered`; `none` when the event matched nobody. */
export function summarize (deliveries: readonly DeliveryEntryAnswer[]): string {
  if (deliveries.length === 0) return 'none'
  return BY_URGENCY
    .map(state => ({ state, count: deliveries.filter(delivery => delivery.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`)
    .join(', ')
}

/** The state that should be looked at first; `undefined` without deliveries. */
export function mostUrgent (deliveries: readonly DeliveryEntryAnswer[]): DeliveryState | undefined {
  return BY_URGENCY.find(state => deliveries.some(delivery => delivery.state === state))
}

/** `held by pause`, or the state alone. */
export function stateText ({ state, heldBy }: DeliveryEntryAnswer): string {
  return heldBy === null ? state : `${state} by ${heldBy}`
}
