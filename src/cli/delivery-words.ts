/**
 * Describes deliveries in one word or line, and gives each state its colour.
 */
import type { DeliveryState } from '../model/delivery.js'
import type { DeliveryEntryAnswer } from '../admin/answers.js'
import type { Paint } from './colour.js'

const COLOURS: Readonly<Record<DeliveryState, keyof Paint>> = {
  queued: 'cyan', retrying: 'yellow', delivered: 'green', failed: 'red', held: 'yellow', discarded: 'dim'
}

/** The most urgent first. */
const BY_URGENCY: readonly DeliveryState[] = ['failed', 'held', 'retrying', 'queued', 'discarded', 'delivered']

/** A state in its colour; an unknown state without colour. */
export function paintState (state: DeliveryState, paint: Paint, text: string = state): string {
  const colour = COLOURS[state] as keyof Paint | undefined
  return colour === undefined ? text : paint[colour](text)
}

/** `1 failed, 2 delivered`; `none` if no subscriber matched. */
export function summarize (deliveries: readonly DeliveryEntryAnswer[]): string {
  if (deliveries.length === 0) return 'none'
  return BY_URGENCY
    .map(state => ({ state, count: deliveries.filter(delivery => delivery.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`)
    .join(', ')
}

/** The most urgent state; `undefined` without deliveries. */
export function mostUrgent (deliveries: readonly DeliveryEntryAnswer[]): DeliveryState | undefined {
  return BY_URGENCY.find(state => deliveries.some(delivery => delivery.state === state))
}

/** `held by pause`, or the state only. */
export function stateText ({ state, heldBy }: DeliveryEntryAnswer): string {
  return heldBy === null ? state : `${state} by ${heldBy}`
}
