/**
 * Deliveries: listed one by one, and given up by the dozen.
 */
import { Type, type Static } from 'typebox'
import type { DeliveryState } from '../model/delivery.js'
import { discardDeliveries } from '../record/discard.js'
import { readHolds } from '../record/holds.js'
import { PAGE_BUDGET_MS, selectEvents, type Filter, type SelectedEvent } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { invalid, unusable } from './check-input.js'
import { deliveryCursor, readDeliveryCursor, type DeliveryPlace } from './cursor.js'
import { DEFAULT_LIMIT, FILTER_BODY, listQuery, readFilters, type ListQuery } from './filters.js'
import { requireFilter, requireKnown } from './order-filters.js'
import type { AdminOptions } from './options.js'
import { API, type Route } from './route.js'
import { Count, DeliveryShape, listOf, showDelivery } from './shapes.js'

/** Events read at a time while discarding. */
const DISCARD_STEP = 200

/** What can still be given up. */
const DISCARDABLE: readonly DeliveryState[] = ['queued', 'retrying', 'held', 'failed']

const discardBody = Type.Object({
  ...FILTER_BODY,
  state: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
    description: `one or more of ${DISCARDABLE.join(', ')}: a text with commas, or an array (all of them when left out)`
  })),
  all: Type.Optional(Type.Boolean({ description: 'true to mean every delivery when there is no filter' })),
  dryRun: Type.Optional(Type.Boolean({ description: 'true to count and change nothing' }))
})

/** The routes under `/deliveries`. */
export function deliveryRoutes (options: AdminOptions): Route[] {
  return [list(options), discard(options)]
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
      const page = await readPage(store, readFilters(filters, Date.now()), { limit, place: readDeliveryCursor(cursor) })
      return { items: page.items, nextCursor: page.next === null ? null : deliveryCursor(page.next) }
    }
  }
}

function discard ({ store, subscribers }: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/deliveries/discard`,
    does: 'Gives up every delivery that fits.',
    body: discardBody,
    answers: { 200: { means: 'How many fitted and how many were given up', schema: Type.Object({ matched: Count, discarded: Count }) } },
    async handle (request) {
      const { all = false, dryRun = false, ...filters } = request.body as Static<typeof discardBody>
      requireFilter(filters, all)
      const filter = readFilters(filters, Date.now())
      filter.states ??= [...DISCARDABLE]
      if (!filter.states.every(state => DISCARDABLE.includes(state))) {
        throw invalid([unusable('state', `one or more of ${DISCARDABLE.join(', ')}: the others are over`)])
      }
      requireKnown(filter.subscribers, [...(await readHolds(store)).keys(), ...subscribers().map(({ name }) => name)])
      return await discardAll(store, filter, dryRun)
    }
  }
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

/** Walks towards the oldest, so what arrives meanwhile is left alone. */
async function discardAll (store: RecordStore, filter: Filter, dryRun: boolean): Promise<{ matched: number, discarded: number }> {
  let matched = 0
  let discarded = 0
  let cursor: number | null = null
  do {
    const page = await selectEvents(store, filter, { limit: DISCARD_STEP, cursor })
    const meant = page.rows.flatMap(({ deliveries }) => deliveries.filter(({ fits }) => fits))
    matched += meant.length
    if (!dryRun) discarded += await discardDeliveries(store, meant)
    cursor = page.next
  } while (cursor !== null)
  return { matched, discarded }
}
