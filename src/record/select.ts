/**
 * Walks the record, newest first: the one way that lists, searches and replays
 * find their events.
 *
 * A walk is made of short scripts, so that a search through a million events
 * holds nobody up. Cursors are sequences: events that arrive meanwhile change
 * nothing behind them. Which events fit the script says, and nothing else.
 * Never writes.
 */
import type { Delivery, DeliveryState, HeldBy } from '../model/delivery.js'
import { shownState } from '../model/delivery.js'
import type { Event, Flag } from '../model/event.js'
import { readPatterns } from '../model/match.js'
import { runScript } from '../redis/script.js'
import { EVENT_FIELDS, parseDelivery, parseEvent, type StoredEvent } from './fields.js'
import { readHolds, type Holds, type ShownHold } from './holds.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'
import { findTaskEvents, type EventPlaces } from './task-events.js'

/** What a reader may ask for. Keys are joined by "and", the entries of a list by "or". */
export interface Filter {
  taskIds?: string[]
  eventIds?: string[]
  /** Exact, or with a trailing `*`. */
  types?: string[]
  statuses?: number[]
  businessIds?: string[]
  flags?: Flag[]
  /** Events with a delivery to one of these … */
  subscribers?: string[]
  /** … in one of these states, as shown. */
  states?: DeliveryState[]
  /** Of what is shown as held, only what is held for a reason of its event. */
  heldByEvent?: true
  /** Arrived at or after, epoch milliseconds. */
  since?: number
  /** Arrived before, epoch milliseconds. */
  until?: number
  /** Events that have no delivery to this subscriber. */
  missing?: string
}

export interface ShownDelivery extends Delivery {
  /** `nextAttemptAt` of what is held: when the hold ends by itself, epoch milliseconds. */
  shown: { state: DeliveryState, heldBy: HeldBy | null, nextAttemptAt: number | null }
}

/** An event with all its deliveries. */
export interface ShownEvent {
  event: Event
  /** Something of it cannot be read: what stands in its place is a guess. */
  corrupt?: true
  deliveries: ShownDelivery[]
}

export interface SelectedDelivery extends ShownDelivery {
  /** Whether it fits what the filter says of deliveries. */
  fits: boolean
}

/** An event that fits a filter, with all its deliveries. */
export interface SelectedEvent extends ShownEvent {
  deliveries: SelectedDelivery[]
}

export interface SelectedPage {
  rows: SelectedEvent[]
  /** Sequence below which to go on, `null` at the end of the record. */
  next: number | null
  /** How many events fit on all pages; only where the filter says nothing but their tasks. */
  total?: number
}

const SELECT = loadRecordScript(new URL('./select.lua', import.meta.url))

/** Events that one script looks at: a few milliseconds of Redis's time. */
const EVENTS_PER_STEP = 1_000

/** A page is cut short after this long, so that no reader waits for a rare event; with its last step, and its way to the reader, it stays below 50 ms. */
export const PAGE_BUDGET_MS = 25

/**
 * One page of events.
 *
 * @param limit   rows at most, 1–500
 * @param cursor  a former page's `next`; `null` begins with the newest
 * @returns       at most `limit` rows; possibly fewer although there are more: `next` tells
 */
export async function selectEvents (
  store: RecordStore, filter: Filter, { limit, cursor, budgetMs = PAGE_BUDGET_MS }: { limit: number, cursor: number | null, budgetMs?: number }
): Promise<SelectedPage> {
  const holds = await readHolds(store)
  const places = await placesOf(store, filter, holds)
  const from = { store, filter, holds, places, limit, cursor }
  const page = places.ids.length > EVENTS_PER_STEP ? await selectNamed(from) : await walk(from, budgetMs)
  return onlyNamesTasks(filter) ? { ...page, total: places.count } : page
}

interface Step { store: RecordStore, filter: Filter, holds: Holds, places: Pick<EventPlaces, 'indexes' | 'ids'>, limit: number, cursor: number | null }

/** Step by step, until the page is full or its time is over. */
async function walk (from: Step, budgetMs: number): Promise<SelectedPage> {
  const started = performance.now()
  const rows: SelectedEvent[] = []
  let next = from.cursor
  do {
    const page = await step({ ...from, limit: from.limit - rows.length, cursor: next })
    rows.push(...page.rows)
    next = page.next
  } while (next !== null && rows.length < from.limit && performance.now() - started < budgetMs)
  return { rows, next }
}

async function step ({ store: { keys, redis }, filter, holds, places: { indexes, ids }, limit, cursor }: Step): Promise<SelectedPage> {
  if (indexes.length + ids.length === 0) return { rows: [], next: null }
  const reply = await runScript(redis, SELECT, {
    keys: [keys.events, ...indexes],
    args: [
      `{${keys.prefix}}:`, cursor === null ? 'inf' : String(cursor), EVENTS_PER_STEP, limit, filterForScript(filter, holds, ids)
    ]
  }) as [string, ...Array<Array<string | null>>]
  const [next, ...rows] = reply
  return { rows: rows.map(row => parseRow(row, holds)), next: next === '' ? null : Number(next) }
}

/** Where every event is that the filter can want. */
async function placesOf (store: RecordStore, filter: Filter, holds: Holds): Promise<EventPlaces> {
  const { eventIds, taskIds } = filter
  if (eventIds !== undefined) {
    const ids = [...new Set(eventIds)]
    return { indexes: [], ids, count: ids.length }
  }
  if (taskIds !== undefined) return await findTaskEvents(store, taskIds)
  return { indexes: indexesFor(store, filter, holds), ids: [], count: 0 }
}

function onlyNamesTasks ({ taskIds, ...others }: Filter): boolean {
  return taskIds !== undefined && Object.keys(others).length === 0
}

/** The smallest indexes that hold every event the filter can want. */
function indexesFor ({ keys }: RecordStore, filter: Filter, holds: Holds): string[] {
  const { states } = filter
  if (states === undefined || states.includes('delivered') || states.includes('discarded')) return [keys.events]
  const subscribers = filter.subscribers ?? [...holds.keys()]
  return subscribers.flatMap(name => [
    ...(filter.heldByEvent !== true && states.some(state => state !== 'failed') ? [keys.open(name)] : []),
    ...(states.includes('failed') ? [keys.failed(name)] : []),
    ...(states.includes('held') ? [keys.held(name)] : [])
  ])
}

function filterForScript (filter: Filter, holds: Holds, ids: readonly string[]): string {
  const types = filter.types === undefined ? undefined : readPatterns(filter.types)
  const heldNow = filter.heldByEvent === true ? [] : [...holds].filter(([, hold]) => hold !== null).map(([name]) => name)
  return JSON.stringify({
    types: types === undefined ? undefined : { ...types, exact: setOf(types.exact) },
    tasks: setOf(filter.taskIds),
    statuses: setOf(filter.statuses),
    businessIds: setOf(filter.businessIds),
    flags: setOf(filter.flags),
    subscribers: setOf(filter.subscribers),
    states: setOf(filter.states),
    since: filter.since,
    until: filter.until,
    missing: filter.missing,
    heldNow: setOf(heldNow),
    ids: ids.length === 0 ? undefined : ids
  })
}

function setOf (list: ReadonlyArray<string | number> | undefined): Record<string, true> | undefined {
  return list === undefined ? undefined : Object.fromEntries(list.map(entry => [String(entry), true]))
}

function parseRow (row: Array<string | null>, holds: Holds): SelectedEvent {
  const id = row[0]!
  const { event, corrupt } = parseEvent(id, row.slice(1, EVENT_FIELDS.length + 1))!
  const flat = row.slice(EVENT_FIELDS.length + 2) as string[]
  const deliveries: SelectedDelivery[] = []
  for (let at = 0; at < flat.length; at += 3) {
    deliveries.push({ ...shown(parseDelivery(id, flat[at]!, flat[at + 1]!), holds), fits: Number(flat[at + 2]) === 1 })
  }
  return { event, deliveries, ...corrupt ? { corrupt: true } : {} }
}

function shown (delivery: Delivery, holds: Holds): ShownDelivery {
  const hold = holds.get(delivery.subscriber) ?? null
  const state = shownState(delivery, hold?.by ?? null)
  return { ...delivery, shown: { ...state, nextAttemptAt: nextAttemptOf(delivery, state, hold) } }
}

/** While it is held nothing is planned, whatever time it waited for before, unless the hold has an end. */
function nextAttemptOf ({ nextAttemptAt }: Delivery, { state, heldBy }: { state: DeliveryState, heldBy: HeldBy | null }, hold: ShownHold | null): number | null {
  if (state !== 'held') return nextAttemptAt
  return heldBy === hold?.by && hold.untilMs !== null ? Math.max(hold.untilMs, nextAttemptAt ?? 0) : null
}

/** As a walk, for more ids than one step may look at: the newest of each part are the newest of all. */
async function selectNamed (from: Step): Promise<SelectedPage> {
  const { limit, store: { redis }, places } = from
  const indexed = await Promise.all(places.indexes.map(async index => await redis.zrange(index, '0', '-1')))
  const ids = [...places.ids, ...indexed.flat()]
  const found: SelectedEvent[] = []
  let hasMore = false
  for (let at = 0; at < ids.length; at += EVENTS_PER_STEP) {
    const page = await step({ ...from, places: { indexes: [], ids: ids.slice(at, at + EVENTS_PER_STEP) } })
    found.push(...page.rows)
    hasMore ||= page.next !== null
  }
  found.sort((a, b) => b.event.sequence - a.event.sequence)
  const rows = found.slice(0, limit)
  return { rows, next: hasMore || found.length > limit ? rows.at(-1)!.event.sequence : null }
}

/** One event that has been read, with its deliveries by subscriber, as readers are shown it. */
export function showStored ({ event, subscribers, corrupt }: StoredEvent, deliveryOf: (subscriber: string) => string, holds: Holds): ShownEvent {
  const deliveries = subscribers.map(name => shown(parseDelivery(event.id, name, deliveryOf(name)), holds))
  return { event, deliveries, ...corrupt ? { corrupt: true } : {} }
}
