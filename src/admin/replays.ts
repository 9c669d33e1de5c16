/**
 * Replays, ordered; and orders of every kind, listed, looked at and cancelled.
 * They are carried out elsewhere, in the background.
 */
import { Type, type Static } from 'typebox'
import { RelayError } from '../model/errors.js'
import { readTime } from '../record/read-time.js'
import type { Filter } from '../record/select.js'
import type { Order, ReplayOrder, ReplayState } from '../replay/order.js'
import { cancelOrder, listOrders, readOrder } from '../replay/orders.js'
import { invalid } from './check-input.js'
import { readOrderCursor, orderCursor } from './cursor.js'
import { DEFAULT_LIMIT, FILTER_BODY, PAGE_QUERY, readFilters } from './filters.js'
import { requireFilter, requireKnown } from './order-filters.js'
import type { AdminOptions } from './options.js'
import { answerOrder, ORDER_ANSWERS } from './place-order.js'
import { API, pathParameter, type Route } from './route.js'
import { listOf, oneOf, OrderShape, showOrder } from './shapes.js'

const STATES = ['failed', 'delivered', 'discarded', 'retrying', 'any', 'missing', 'held'] as const
const MAX_PER_SECOND = 100_000

const orderBody = Type.Object({
  ...FILTER_BODY,
  state: Type.Optional(oneOf(STATES, {
    description: `one of ${STATES.join(', ')} (when left out: failed, or with eventIds or taskId whatever is finished)`
  })),
  all: Type.Optional(Type.Boolean({ description: 'true to mean every event when there is no filter' })),
  newId: Type.Optional(Type.Boolean({ description: 'true to give each delivery a webhook-id of its own' })),
  ratePerSecond: Type.Optional(Type.Integer({
    minimum: 1, maximum: MAX_PER_SECOND, description: `a whole number from 1 to ${MAX_PER_SECOND}: deliveries put back per second`
  })),
  dryRun: Type.Optional(Type.Boolean({ description: 'true to count and change nothing' }))
})
type OrderBody = Static<typeof orderBody>

const listQuery = Type.Object(PAGE_QUERY)

/** Why it is too late to cancel one. */
const IS_DONE: Readonly<Record<Order['kind'], string>> = {
  replay: 'This replay is done: everything is in the queues already.',
  discard: 'This discard is done: everything has been given up already, and can be replayed.',
  release: 'This release is done: everything is in the queues already.',
  purge: 'This purge is done: everything has been deleted already, for good.'
}

/** The routes under `/replays`. */
export function replayRoutes (options: AdminOptions): Route[] {
  return [order(options), list(options), show(options), cancel(options)]
}

function order (options: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/replays`,
    does: 'Orders deliveries to be made again. They go the way of every other delivery.',
    body: orderBody,
    answers: ORDER_ANSWERS,
    async handle (request, reply) {
      const body = request.body as OrderBody
      const wanted = wantedBy(body, { known: options.subscribers().map(({ name }) => name), now: await readTime(options.store) })
      return await answerOrder(options, wanted, { dryRun: body.dryRun === true, reply })
    }
  }
}

function list ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/replays`,
    does: 'Lists orders of every kind, newest first.',
    query: listQuery,
    answers: { 200: { means: 'A page of orders', schema: listOf(OrderShape) } },
    async handle (request) {
      const { limit = DEFAULT_LIMIT, cursor } = request.query as Static<typeof listQuery>
      const page = await listOrders(store, { limit, cursor: readOrderCursor(cursor) })
      return { items: page.items.map(showOrder), nextCursor: page.next === null ? null : orderCursor(page.next) }
    }
  }
}

function show ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/replays/:id`,
    does: 'Shows how far an order has come, of whatever kind.',
    answers: { 200: { means: 'The order', schema: OrderShape } },
    async handle (request) {
      return showOrder(await readOrder(store, pathParameter(request, 'id')) ?? noOrder())
    }
  }
}

function cancel ({ store }: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/replays/:id/cancel`,
    does: 'Stops an order; what is in the queues already, given up or deleted stays so.',
    answers: { 200: { means: 'The order, cancelled', schema: OrderShape } },
    async handle (request) {
      const order = await cancelOrder(store, pathParameter(request, 'id')) ?? noOrder()
      if (order.state === 'done') throw new RelayError('CONFLICT', IS_DONE[order.kind])
      return showOrder(order)
    }
  }
}

/** @throws RelayError INVALID_REQUEST when the order means nothing, or perhaps too much */
function wantedBy (body: OrderBody, { known, now }: { known: readonly string[], now: number }): ReplayOrder {
  const { all = false, newId = false, dryRun: _, ratePerSecond, ...filters } = body
  requireFilter(filters, all)
  const { state: written, ...others } = filters
  const filter = readFilters(others, now)
  requireKnown(filter.subscribers, known)
  const state = written ?? defaultState(filter)
  if (state === 'missing' && filter.subscribers?.length !== 1) {
    throw invalid([{ name: 'subscriber', problem: 'state: missing needs exactly one subscriber, the one that never had the events.' }])
  }
  return { kind: 'replay', filter, state, newId, ratePerSecond: ratePerSecond ?? null }
}

/** Whoever names events or tasks means them, whatever became of them. */
function defaultState ({ eventIds, taskIds }: Filter): ReplayState {
  return eventIds === undefined && taskIds === undefined ? 'failed' : 'finished'
}

function noOrder (): never {
  throw new RelayError('NOT_FOUND', 'There is no such replay or other order. Either it never existed, or newer ones have replaced it.')
}
