/**
 * What an operator may order to be done to many deliveries at once, and which
 * deliveries that means: to replay is to have them delivered again, to discard
 * is to give them up, to release is to let go what is held for a reason of its
 * event. To purge is about events: all that the record has of them is deleted.
 *
 * Pure but for the walk it describes: the rules of "is this one meant" are
 * here, and those of "did this one never have it" in `missing`.
 */
import type { DeliveryState } from '../model/delivery.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Filter, SelectedEvent, SelectedDelivery } from '../record/select.js'

/**
 * Which deliveries are meant:
 * `failed`, `delivered`, `discarded`, `retrying` (made due now): those in that state;
 * `finished`: the first three; `any`: all of these;
 * `held`: those held for a reason of their event;
 * `missing`: events that the subscriber wants and never had.
 */
export type ReplayState = 'failed' | 'delivered' | 'discarded' | 'retrying' | 'finished' | 'any' | 'held' | 'missing'

export interface ReplayOrder {
  kind: 'replay'
  /** Without states; `subscribers` must be configured ones. */
  filter: Omit<Filter, 'states' | 'missing'>
  state: ReplayState
  /** Gives each delivery a `webhook-id` of its own, instead of its event's. */
  newId: boolean
  /** Deliveries put back per second; `null` is as fast as it goes. */
  ratePerSecond: number | null
}

export interface DiscardOrder {
  kind: 'discard'
  /** With states, all of them of {@link DISCARDABLE}. */
  filter: Omit<Filter, 'missing'> & { states: DeliveryState[] }
}

export interface ReleaseOrder {
  kind: 'release'
  filter: Omit<Filter, 'states' | 'missing' | 'heldByEvent'>
}

export interface PurgeOrder {
  kind: 'purge'
  /** Never empty. */
  filter: Pick<Filter, 'taskIds' | 'businessIds' | 'until'>
}

export type Order = ReplayOrder | DiscardOrder | ReleaseOrder | PurgeOrder

export const ORDER_KINDS = ['replay', 'discard', 'release', 'purge'] as const satisfies ReadonlyArray<Order['kind']>

/** What can still be given up. */
export const DISCARDABLE: readonly DeliveryState[] = ['queued', 'retrying', 'held', 'failed']

/** A delivery that is meant, as it was when it was found: what has changed since is left alone. */
export interface Meant {
  eventId: string
  subscriber: string
  /** As the record stores it; `null` when there is no delivery yet (`missing`). */
  state: DeliveryState | null
  /** 0 when there is no delivery yet. */
  generation: number
}

const STATES: Record<Exclude<ReplayState, 'missing'>, DeliveryState[]> = {
  failed: ['failed'],
  delivered: ['delivered'],
  discarded: ['discarded'],
  retrying: ['retrying'],
  held: ['held'],
  finished: ['delivered', 'failed', 'discarded'],
  any: ['delivered', 'failed', 'discarded', 'retrying', 'held']
}

/**
 * The filter that finds every event with a delivery that is meant.
 *
 * Deliveries to subscribers that are not configured are never replayed: nobody
 * would take them.
 */
export function filterOf (order: Order, subscribers: readonly Subscriber[]): Filter {
  if (order.kind === 'release') return { ...order.filter, ...HELD_BY_EVENT }
  if (order.kind !== 'replay') return order.filter
  const names = order.filter.subscribers ?? subscribers.map(({ name }) => name)
  if (order.state === 'missing') {
    const { subscribers: _, ...filter } = order.filter
    return { ...filter, missing: names[0]! }
  }
  return { ...order.filter, subscribers: names, ...order.state === 'held' ? HELD_BY_EVENT : { states: STATES[order.state] } }
}

const HELD_BY_EVENT = { states: ['held'], heldByEvent: true } satisfies Filter

/** The deliveries of one event, found by the order's filter, that are meant; for any state but `missing`. */
export function meantBy (order: Order, { deliveries }: SelectedEvent): Meant[] {
  return deliveries.filter(delivery => delivery.fits && (order.kind !== 'replay' || canBePutBack(delivery)))
}

/** Queued deliveries are not doubled. */
function canBePutBack ({ state }: SelectedDelivery): boolean {
  return state !== 'queued'
}
