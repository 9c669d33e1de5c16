/**
 * Which deliveries of found events an order means, those that a subscriber
 * never had included: whether it wants such an event is told from the body, by
 * what told it when the event was accepted.
 */
import { matchBody } from '../accept/match-body.js'
import { createMatcher } from '../model/matcher.js'
import type { Subscriber } from '../model/subscriber.js'
import { readBodies } from '../record/read-event.js'
import type { SelectedEvent } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { filterOf, meantBy, type Meant, type Order } from './order.js'

export interface MeantOptions {
  store: RecordStore
  order: Order
  subscribers: readonly Subscriber[]
}

/**
 * The deliveries of a page of found events that are meant.
 *
 * @throws what ioredis throws
 */
export async function meantIn ({ store, order, subscribers }: MeantOptions, rows: readonly SelectedEvent[]): Promise<Meant[]> {
  const { missing } = filterOf(order, subscribers)
  if (missing === undefined) return rows.flatMap(row => meantBy(order, row))
  const subscriber = subscribers.find(({ name }) => name === missing)
  if (subscriber === undefined) return []
  return (await owedIds(store, rows, subscriber)).map(eventId => ({ eventId, subscriber: missing, state: null, generation: 0 }))
}

/** The events among these that a subscriber wants, by the match it has now. */
async function owedIds (store: RecordStore, rows: readonly SelectedEvent[], { match }: Subscriber): Promise<string[]> {
  const matcher = createMatcher([match])
  const events = rows.filter(canBeOwed).map(({ event }) => event).filter(event => matcher.maybeWantedBy(event).length > 0)
  if (!matcher.readsBody) return events.map(({ id }) => id)
  const owed: string[] = []
  for await (const group of readBodies(store, events)) {
    owed.push(...group.filter(({ body }) => matchBody(matcher, body) === true).map(({ id }) => id))
  }
  return owed
}

/** A late event that was kept without delivering, and one that an operator made to try things, are owed to nobody else. */
function canBeOwed ({ event, deliveries }: SelectedEvent): boolean {
  return !event.flags.includes('test') && !(event.flags.includes('late') && deliveries.length === 0)
}
