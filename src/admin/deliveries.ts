/**
 * Deliveries: listed one by one; given up, or let go, by the dozen, in the
 * background.
 */
import { Type, type Static } from 'typebox'
import { readHolds } from '../record/holds.js'
import { readTime } from '../record/read-time.js'
import { PAGE_BUDGET_MS, selectEvents, type Filter, type SelectedEvent } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { DISCARDABLE, type DiscardOrder, type ReleaseOrder } from '../replay/order.js'
import { invalid, unusable } from './check-input.js'
import { deliveryCursor, readDeliveryCursor, type DeliveryPlace } from './cursor.js'
import { DEFAULT_LIMIT, FILTER_BODY, listQuery, readFilters, type ListQuery } from './filters.js'
import { requireFilter, requireKnown } from './order-filters.js'
import type { AdminOptions } from './options.js'
import { answerOrder, ORDER_ANSWERS } from './place-order.js'
import { API, type Route } from './route.js'
import { DeliveryShape, listOf, showDelivery } from './shapes.js'

const discardBody = Type.Object({
  ...FILTER_BODY,
  state: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
    description: `one or more of ${DISCARDABLE.join(', ')}: a text with commas, or an array (all of them when left out)`
  })),
  all: Type.Optional(Type.Boolean({ description: 'true to mean every delivery when there is no filter' })),
  dryRun: Type.Optional(Type.Boolean({ description: 'true to count and change nothing' }))
})

const releaseBody = Type.Object({
  ...FILTER_BODY,
  all: Type.Optional(Type.Boolean({ description: 'true to mean every held delivery when there is no filter' })),
  dryRun: Type.Optional(Type.Boolean({ description: 'true to count and change nothing' }))
})

/** The routes under `/deliveries`. */
export function deliveryRoutes (options: AdminOptions): Route[] {
  return [list(options), discard(options), release(options)]
}

function list ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/deliveries`,
    does: 'Lists deliveries, those of the newest events first. A page may be short while nextCursor is set.',
    query: listQuery,
    answers: { 200: { means: 'A page of deliveries', schema: listOf(DeliveryShape) } },
    async handle (request) {
      const { limit = DEFAULT_LIMIT, cursor, ...filters } = request.query as ListQuery
      const page = await readPage(store, readFilters(filters, await readTime(store)), { limit, place: readDeliveryCursor(cursor) })
      return { items: page.items, nextCursor: page.next === null ? null : deliveryCursor(page.next) }
    }
  }
}

function discard (options: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/deliveries/discard`,
    does: 'Orders every delivery that fits to be given up.',
    body: discardBody,
    answers: ORDER_ANSWERS,
    async handle (request, reply) {
      const body = request.body as Static<typeof discardBody>
      return await answerOrder(options, await wantedBy(body, options), { dryRun: body.dryRun === true, reply })
    }
  }
}

function release (options: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/deliveries/release`,
    does: 'Orders every delivery that fits, and is held for a reason of its event (verify, conflict), to be delivered. The holds of subscribers stay.',
    body: releaseBody,
    answers: ORDER_ANSWERS,
    async handle (request, reply) {
      const body = request.body as Static<typeof releaseBody>
      const { all = false, dryRun = false, ...filters } = body
      requireFilter(filters, all)
      const order: ReleaseOrder = { kind: 'release', filter: readFilters(filters, await readTime(options.store)) }
      await requireKnownTo(options, order.filter)
      return await answerOrder(options, order, { dryRun, reply })
    }
  }
}

/** @throws RelayError INVALID_REQUEST when a subscriber is neither configured nor known to the record */
async function requireKnownTo ({ store, subscribers }: AdminOptions, { subscribers: names }: Filter): Promise<void> {
  requireKnown(names, [...(await readHolds(store)).keys(), ...subscribers().map(({ name }) => name)])
}

/** @throws RelayError INVALID_REQUEST when the order means nothing, or perhaps too much */
async function wantedBy (body: Static<typeof discardBody>, options: AdminOptions): Promise<DiscardOrder> {
  const { all = false, dryRun: _, ...filters } = body
  requireFilter(filters, all)
  const { states = [...DISCARDABLE], ...filter } = readFilters(filters, await readTime(options.store))
  if (!states.every(state => DISCARDABLE.includes(state))) {
    throw invalid([unusable('state', `one or more of ${DISCARDABLE.join(', ')}: the others are over`)])
  }
  await requireKnownTo(options, filter)
  return { kind: 'discard', filter: { ...filter, states } }
}

type Item = Static<typeof DeliveryShape>

/**
 * One page. Events come in short steps; of an event whose deliveries do not
 * all fit, the next page begins with the first that did not.
 */
async function readPage (
  store: RecordStore, filter: Filter, { limit, place }: { limit: number, place: DeliveryPlace | null }
): Promise<{ items: Item[], next: DeliveryPlace | null }> {
  const started = performance.now()
  const items: Item[] = []
  let from = place
  do {
    const budgetMs = PAGE_BUDGET_MS - (performance.now() - started)
    const page = await selectEvents(store, filter, { limit: limit - items.length, cursor: from?.below ?? null, budgetMs })
    for (const row of page.rows) {
      const stopped = takeInto(items, row, { limit, skip: skippedOf(row, from) })
      if (stopped !== null) return { items, next: { below: row.event.sequence + 1, skip: stopped } }
    }
    from = page.next === null ? null : { below: page.next, skip: 0 }
  } while (from !== null && items.length < limit && performance.now() - started < PAGE_BUDGET_MS)
  return { items, next: from }
}

/** Deliveries are only ever added at the end of an event, so their places hold. */
function skippedOf ({ event }: SelectedEvent, from: DeliveryPlace | null): number {
  return from !== null && event.sequence === from.below - 1 ? from.skip : 0
}

/** @returns the place of the first delivery that did not fit on the page, `null` when all did */
function takeInto (items: Item[], row: SelectedEvent, { limit, skip }: { limit: number, skip: number }): number | null {
  for (const [at, delivery] of row.deliveries.entries()) {
    if (at < skip || !delivery.fits) continue
    if (items.length === limit) return at
    items.push(showDelivery(row, delivery))
  }
  return null
}
