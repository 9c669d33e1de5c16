/**
 * Walks the record, newest first: lists, searches and replays all find their
 * events this way.
 *
 * A walk consists of short scripts, so that a search through a million events
 * delays no other caller. Cursors are sequences: events that arrive meanwhile do
 * not change the rest of the walk. Only the script decides which events match.
 * Never writes.
 */
import type { Delivery, DeliveryState, HeldBy } from '../model/delivery.js'
import { shownState } from '../model/delivery.js'
import type { Event, Flag } from '../model/event.js'
import { readPatterns } from '../model/match.js'
import { runScript } from '../redis/script.js'
import { EVENT_FIELDS, parseDelivery, parseEvent } from './fields.js'
import { readHolds, type Holds, type ShownHold } from './holds.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

/** A filter. Keys are joined by "and", the entries of a list by "or". */
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
  /** Arrived at or after, epoch milliseconds. */
  since?: number
  /** Arrived before, epoch milliseconds. */
  until?: number
  /** Events without a delivery to this subscriber. */
  missing?: string
}

export interface ShownDelivery extends Delivery {
  /** `nextAttemptAt` of a held delivery: the end of the hold if it has one, epoch milliseconds. */
  shown: { state: DeliveryState, heldBy: HeldBy | null, nextAttemptAt: number | null }
}

/** An event with all its deliveries. */
export interface ShownEvent {
  event: Event
  deliveries: ShownDelivery[]
}

export interface SelectedDelivery extends ShownDelivery {
  /** Whether it matches the delivery part of the filter. */
  fits: boolean
}

/** An event that matches a filter, with all its deliveries. */
export interface SelectedEvent extends ShownEvent {
  deliveries: SelectedDelivery[]
}

export interface SelectedPage {
  rows: SelectedEvent[]
  /** The sequence below which the next page begins, `null` at the end of the record. */
  next: number | null
}

const SELECT = loadRecordScript(new URL('./select.lua', import.meta.url))

/** Events per script: a few milliseconds of Redis's time. */
const EVENTS_PER_STEP = 1_000

/** A page ends after this time, milliseconds, so that no reader waits for a rare event; with its last step and its transfer it stays below 50 ms. */
export const PAGE_BUDGET_MS = 25

/**
 * One page of events.
 *
 * @param limit   maximum rows, 1–500
 * @param cursor  `next` of an earlier page; `null` begins with the newest
 * @returns       at most `limit` rows; it may be fewer although there are more: see `next`
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

/** @param ids  the only events to look at, instead of an index */
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

/** The smallest indexes that contain every event that can match the filter. */
function indexesFor ({ keys }: RecordStore, filter: Filter, holds: Holds): string[] {
  const { states } = filter
  if (states === undefined || states.includes('delivered') || states.includes('discarded')) return [keys.events]
  const subscribers = filter.subscribers ?? [...holds.keys()]
  return subscribers.flatMap(name => [
    ...(states.some(state => state !== 'failed') ? [keys.open(name)] : []),
    ...(states.includes('failed') ? [keys.failed(name)] : []),
    ...(states.includes('held') ? [keys.held(name)] : [])
  ])
}

function filterForScript (filter: Filter, holds: Holds, ids: readonly string[] | undefined): string {
  const types = filter.types === undefined ? undefined : readPatterns(filter.types)
  const heldNow = [...holds].filter(([, hold]) => hold !== null).map(([name]) => name)
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
  const { event } = parseEvent(id, row.slice(1, EVENT_FIELDS.length + 1))!
  const flat = row.slice(EVENT_FIELDS.length + 2) as string[]
  const deliveries: SelectedDelivery[] = []
  for (let at = 0; at < flat.length; at += 3) {
    deliveries.push({ ...shown(parseDelivery(id, flat[at]!, flat[at + 1]!), holds), fits: Number(flat[at + 2]) === 1 })
  }
  return { event, deliveries }
}

function shown (delivery: Delivery, holds: Holds): ShownDelivery {
  const hold = holds.get(delivery.subscriber) ?? null
  const state = shownState(delivery, hold?.by ?? null)
  return { ...delivery, shown: { ...state, nextAttemptAt: nextAttemptOf(delivery, state, hold) } }
}

/** A held delivery has no planned attempt, unless the hold has an end. */
function nextAttemptOf ({ nextAttemptAt }: Delivery, { state, heldBy }: { state: DeliveryState, heldBy: HeldBy | null }, hold: ShownHold | null): number | null {
  if (state !== 'held') return nextAttemptAt
  return heldBy === hold?.by && hold.untilMs !== null ? Math.max(hold.untilMs, nextAttemptAt ?? 0) : null
}

/** The events that a filter names by ids, tasks or both; `null` if it names none. */
async function namedBy (store: RecordStore, { eventIds, taskIds }: Filter): Promise<string[] | null> {
  if (taskIds === undefined) return eventIds === undefined ? null : [...new Set(eventIds)]
  const ofTasks = new Set((await Promise.all(taskIds.map(async taskId => await eventsOfTask(store, taskId)))).flat())
  return eventIds === undefined ? [...ofTasks] : [...ofTasks].filter(id => eventIds.includes(id))
}

/** Like a walk, but over these events only: the newest of each step are the newest of all. */
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

/** One event with its deliveries, `null` if there is none. */
export async function readShown (store: RecordStore, id: string, holds: Holds): Promise<ShownEvent | null> {
  const values = await store.redis.hmget(store.keys.event(id), ...EVENT_FIELDS)
  const read = parseEvent(id, values)
  if (read === null) return null
  if (read.subscribers.length === 0) return { event: read.event, deliveries: [] }
  const stored = await store.redis.hmget(store.keys.event(id), ...read.subscribers.map(name => 'd:' + name))
  const deliveries = read.subscribers.flatMap((name, at) =>
    stored[at] == null ? [] : [shown(parseDelivery(id, name, stored[at]), holds)])
  return { event: read.event, deliveries }
}
