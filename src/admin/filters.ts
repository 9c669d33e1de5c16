/**
 * The filters that every list and every order shares: what may be written,
 * and the filter of the record that it means.
 *
 * In a query a list is written with commas; in a body as one value, a text
 * with commas, or an array, whose entries are taken as they are. A comma that
 * belongs to an entry is written `\,` and a backslash before one `\\`. What
 * stands behind a name is the same in both.
 */
import { Type, type Static } from 'typebox'
import { DELIVERY_STATES, type DeliveryState } from '../model/delivery.js'
import { FLAG_CHOICES, FLAGS, type Flag } from '../model/event.js'
import type { Filter } from '../record/select.js'
import { invalid, unusable, type InputError } from './check-input.js'
import { parseMoment } from './moment.js'

const MAX_ENTRIES = 1_000
const EVENT_ID = /^evt_[0-9A-HJKMNP-TV-Z]{26}$/
const INTEGER = /^-?\d{1,15}$/

/** What each filter takes: completes the sentence "<name> takes …". */
const TAKES = {
  taskId: 'one or more task ids',
  eventIds: 'one or more event ids, evt_ and 26 characters each',
  type: 'one or more event types; a trailing * stands for any ending',
  status: 'one or more integers',
  businessId: 'one or more business ids',
  subscriber: 'one or more names of subscribers',
  state: `one or more of ${DELIVERY_STATES.join(', ')}`,
  flag: `one or more of ${FLAG_CHOICES}`,
  since: 'a time like 2026-01-31T08:00:00Z, or how long ago: 15m, 2h or 7d',
  until: 'a time like 2026-01-31T08:00:00Z, or how long ago: 15m, 2h or 7d'
} as const

export type FilterName = keyof typeof TAKES

const inQuery = (name: FilterName) => Type.Optional(Type.String({ description: TAKES[name] + (name === 'since' || name === 'until' ? '' : ', with commas between (\\, for one within a value)') }))
const text = (name: FilterName) => Type.Optional(Type.String({ description: TAKES[name] }))
const list = (name: FilterName) => Type.Optional(Type.Union(
  [Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: MAX_ENTRIES })],
  { description: `${TAKES[name]}: a text with commas, or an array of at most ${MAX_ENTRIES}` }
))

/** The filters of a list, as properties of its query. */
export const FILTER_QUERY = {
  taskId: inQuery('taskId'),
  type: inQuery('type'),
  status: inQuery('status'),
  businessId: inQuery('businessId'),
  subscriber: inQuery('subscriber'),
  state: inQuery('state'),
  flag: inQuery('flag'),
  since: inQuery('since'),
  until: inQuery('until')
}

/** Where a list begins and how long a page is. */
export const PAGE_QUERY = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50, description: 'a whole number from 1 to 500 (50 when left out)' })),
  cursor: Type.Optional(Type.String({ description: 'the nextCursor of the page before' }))
}

/** Rows of a page when no limit is given. */
export const DEFAULT_LIMIT = 50

/** The filters of an order but `state`, as properties of its body. */
export const FILTER_BODY = {
  subscriber: list('subscriber'),
  taskId: list('taskId'),
  eventIds: list('eventIds'),
  type: list('type'),
  status: Type.Optional(Type.Union(
    [Type.Integer(), Type.String(), Type.Array(Type.Union([Type.Integer(), Type.String()]), { minItems: 1, maxItems: MAX_ENTRIES })],
    { description: `${TAKES.status}: a number, a text with commas, or an array of at most ${MAX_ENTRIES}` }
  )),
  businessId: list('businessId'),
  flag: list('flag'),
  since: text('since'),
  until: text('until')
}

/** The query of a list of events or deliveries. */
export const listQuery = Type.Object({ ...FILTER_QUERY, ...PAGE_QUERY })
export type ListQuery = Static<typeof listQuery>

/** Filters as a caller wrote them, checked for their JSON types only. */
export type WrittenFilters = { [name in FilterName]?: string | number | Array<string | number> }

/** What each name means; `null` when it cannot be used as it is written. */
const READERS: Record<FilterName, (entries: string[], now: number) => Filter | null> = {
  taskId: taskIds => ({ taskIds }),
  eventIds: eventIds => eventIds.every(id => EVENT_ID.test(id)) ? { eventIds } : null,
  type: types => ({ types }),
  status: entries => entries.every(entry => INTEGER.test(entry)) ? { statuses: entries.map(Number) } : null,
  businessId: businessIds => ({ businessIds }),
  subscriber: subscribers => ({ subscribers }),
  state: states => areAllOf<DeliveryState>(states, DELIVERY_STATES) ? { states } : null,
  flag: flags => areAllOf<Flag>(flags, FLAGS) ? { flags } : null,
  since: ([written], now) => asFilter('since', parseMoment(written!, now)),
  until: ([written], now) => asFilter('until', parseMoment(written!, now))
}

/**
 * Reads filters.
 *
 * @param written  values by name; other names are passed over
 * @param now      epoch milliseconds; relative times count back from it
 * @throws         RelayError INVALID_REQUEST naming each that cannot be used, and what it takes
 */
export function readFilters (written: WrittenFilters, now: number): Filter {
  const filter: Filter = {}
  const errors: InputError[] = []
  for (const [name, value] of Object.entries(written) as Array<[FilterName, WrittenFilters[FilterName]]>) {
    if (!isFilter(name) || value === undefined) continue
    const entries = entriesOf(name, value)
    const read = entries.length === 0 || entries.length > MAX_ENTRIES || entries.includes('') ? null : READERS[name](entries, now)
    if (read === null) errors.push(unusable(name, TAKES[name]))
    else Object.assign(filter, read)
  }
  if (errors.length > 0) throw invalid(errors)
  return filter
}

/** Whether a name is that of a filter. */
export function isFilter (name: string): name is FilterName {
  return Object.hasOwn(TAKES, name)
}

function entriesOf (name: FilterName, value: string | number | Array<string | number>): string[] {
  if (Array.isArray(value)) return value.map(String)
  return name === 'since' || name === 'until' ? [String(value)] : partsOf(String(value))
}

/** The entries of a text with commas. */
function partsOf (text: string): string[] {
  const entries: string[] = []
  let entry = ''
  for (const [part] of text.matchAll(/\\[\\,]|,|\\|[^\\,]+/g)) {
    if (part === ',') {
      entries.push(entry)
      entry = ''
    } else entry += part.replace(/^\\([\\,])$/, '$1')
  }
  return [...entries, entry]
}

function areAllOf<T extends string> (entries: string[], known: readonly T[]): entries is T[] {
  return entries.every(entry => (known as readonly string[]).includes(entry))
}

function asFilter (name: 'since' | 'until', ms: number | null): Filter | null {
  return ms === null ? null : { [name]: ms }
}
