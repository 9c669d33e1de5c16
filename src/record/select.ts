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
  const named = await namedBy(store, filter)
  if (named !== null) return await selectNamed({ store, filter, holds, limit, cursor }, named)
  const started = performance.now()
  const rows: SelectedEvent[] = []
  let next = cursor
  do {
    const page = await step({ store, filter, holds, limit: limit - rows.length, cursor: next })
    rows.push(...page.rows)
    next = page.next
  } while (next !== null && rows.length < limit && performance.now() - started < budgetMs)
  return { rows, next }
}

interface Step { store: RecordStore, filter: Filter, holds: Holds, limit: number, cursor: number | null }

/** @param ids  the only events to look at, in place of an index */
async function step ({ store, filter, holds, limit, cursor }: Step, ids?: readonly string[]): Promise<SelectedPage> {
  const { keys, redis } = store
  const indexes = ids === undefined ? indexesFor(store, filter, holds) : [keys.events]
  if (indexes.length === 0) return { rows: [], next: null }
  const reply = await runScript(redis, SELECT, {
    keys: indexes,
    args: [
      `{${keys.prefix}}:`, cursor === null ? 'inf' : String(cursor), EVENTS_PER_STEP, limit, filterForScript(filter, holds, ids)
    ]
  }) as [string, ...Array<Array<string | null>>]
  const [next, ...rows] = reply
  return { rows: rows.map(row => parseRow(row, holds)), next: next === '' ? null : Number(next) }
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

function filterForScript (filter: Filter, holds: Holds, ids: readonly string[] | undefined): string {
  const types = filter.types === undefined ? undefined : readPatterns(filter.types)
  const heldNow = filter.heldByEvent === true ? [] : [...holds].filter(([, hold]) => hold !== null).map(([name]) => name)
  return JSON.stringify({
    types: types === undefined ? undefined : { ...types, exact: setOf(types.exact) },
    statuses: setOf(filter.statuses),
    businessIds: setOf(filter.businessIds),
    flags: setOf(filter.flags),
    subscribers: setOf(filter.subscribers),
    states: setOf(filter.states),
    since: filter.since,
    until: filter.until,
    missing: filter.missing,
    heldNow: setOf(heldNow),
    ids
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

/** The events that a filter names by their ids, their tasks or both; `null` when it names none. */
async function namedBy (store: RecordStore, { eventIds, taskIds }: Filter): Promise<string[] | null> {
  if (taskIds === undefined) return eventIds === undefined ? null : [...new Set(eventIds)]
  const ofTasks = new Set((await Promise.all(taskIds.map(async taskId => await eventsOfTask(store, taskId)))).flat())
  return eventIds === undefined ? [...ofTasks] : [...ofTasks].filter(id => eventIds.includes(id))
}

/** As a walk, but over these events alone: the newest of each step are the newest of all. */
async function selectNamed (from: Step, ids: readonly string[]): Promise<SelectedPage> {
  const { limit } = from
  const found: SelectedEvent[] = []
  let hasMore = false
  for (let at = 0; at < ids.length; at += EVENTS_PER_STEP) {
    const page = await step(from, ids.slice(at, at + EVENTS_PER_STEP))
    found.push(...page.rows)
    hasMore ||= page.next !== null
  }
  found.sort((a, b) => b.event.sequence - a.event.sequence)
  const rows = found.slice(0, limit)
  return { rows, next: hasMore || found.length > limit ? rows.at(-1)!.event.sequence : null }
}

async function eventsOfTask ({ redis, keys }: RecordStore, taskId: string): Promise<string[]> {
  const [real, tests] = await Promise.all([redis.hgetall(keys.task(taskId)), redis.hgetall(keys.testTask(taskId))])
  return [...Object.entries(real), ...Object.entries(tests)].flatMap(([name, value]) => {
    if (name.startsWith('c:')) return [value.split(' ')[0]!]
    return name.startsWith('e:') ? [name.slice(2)] : []
  })
}

/** One event that has been read, with its deliveries by subscriber, as readers are shown it. */
export function showStored ({ event, subscribers, corrupt }: StoredEvent, deliveryOf: (subscriber: string) => string, holds: Holds): ShownEvent {
  const deliveries = subscribers.map(name => shown(parseDelivery(event.id, name, deliveryOf(name)), holds))
  return { event, deliveries, ...corrupt ? { corrupt: true } : {} }
}
