/**
 * Replays: ordered, listed, looked at and cancelled. They are carried out
 * elsewhere, in the background.
 */
import { Type, type Static } from 'typebox'
import { RelayError } from '../model/errors.js'
import type { Filter } from '../record/select.js'
import type { ReplayOrder, ReplayState } from '../replay/order.js'
import { cancelReplay, countMeant, createReplay, listReplays, readReplay } from '../replay/replays.js'
import { invalid } from './check-input.js'
import { readReplayCursor, replayCursor } from './cursor.js'
import { DEFAULT_LIMIT, FILTER_BODY, PAGE_QUERY, readFilters } from './filters.js'
import { requireFilter, requireKnown } from './order-filters.js'
import type { AdminOptions } from './options.js'
import { API, pathParameter, type Route } from './route.js'
import { Count, listOf, nullable, oneOf, ReplayShape, showReplay } from './shapes.js'

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
const ordered = Type.Object({ id: nullable(Type.String()), matched: Count })

/** The routes under `/replays`. */
export function replayRoutes (options: AdminOptions): Route[] {
  return [order(options), list(options), show(options), cancel(options)]
}

function order ({ store, subscribers, wakeReplays }: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/replays`,
    does: 'Orders deliveries to be made again. They go the way of every other delivery.',
    body: orderBody,
    answers: {
      200: { means: 'Dry run: what would be replayed', schema: ordered },
      202: { means: 'The replay runs', schema: ordered }
    },
    async handle (request, reply) {
      const body = request.body as OrderBody
      const configured = subscribers()
      const wanted = readOrder(body, configured.map(({ name }) => name))
      if (body.dryRun === true) return { id: null, matched: await countMeant(store, wanted, configured) }
      const replay = await createReplay(store, wanted, configured)
      wakeReplays()
      return reply.code(202).header('location', `${API}/replays/${replay.id}`).send(replay)
    }
  }
}

function list ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/replays`,
    does: 'Lists replays, newest first.',
    query: listQuery,
    answers: { 200: { means: 'A page of replays', schema: listOf(ReplayShape) } },
    async handle (request) {
      const { limit = DEFAULT_LIMIT, cursor } = request.query as Static<typeof listQuery>
      const page = await listReplays(store, { limit, cursor: readReplayCursor(cursor) })
      return { items: page.items.map(showReplay), nextCursor: page.next === null ? null : replayCursor(page.next) }
    }
  }
}

function show ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/replays/:id`,
    does: 'Shows how far a replay has come.',
    answers: { 200: { means: 'The replay', schema: ReplayShape } },
    async handle (request) {
      return showReplay(await readReplay(store, pathParameter(request, 'id')) ?? noReplay())
    }
  }
}

function cancel ({ store }: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/replays/:id/cancel`,
    does: 'Stops a replay; what is in the queues already stays there.',
    answers: { 200: { means: 'The replay, cancelled', schema: ReplayShape } },
    async handle (request) {
      const replay = await cancelReplay(store, pathParameter(request, 'id')) ?? noReplay()
      if (replay.state === 'done') throw new RelayError('CONFLICT', 'This replay is done: all its deliveries are in the queues.')
      return showReplay(replay)
    }
  }
}

/** @throws RelayError INVALID_REQUEST when the order means nothing, or perhaps too much */
function readOrder (body: OrderBody, known: readonly string[]): ReplayOrder {
  const { all = false, newId = false, dryRun: _, ratePerSecond, ...filters } = body
  requireFilter(filters, all)
  const { state: written, ...others } = filters
  const filter = readFilters(others, Date.now())
  requireKnown(filter.subscribers, known)
  const state = written ?? defaultState(filter)
  if (state === 'missing' && filter.subscribers?.length !== 1) {
    throw invalid([{ name: 'subscriber', problem: 'state: missing needs exactly one subscriber, the one that never had the events.' }])
  }
  return { filter, state, newId, ratePerSecond: ratePerSecond ?? null }
}

/** Whoever names events or tasks means them, whatever became of them. */
function defaultState ({ eventIds, taskIds }: Filter): ReplayState {
  return eventIds === undefined && taskIds === undefined ? 'failed' : 'finished'
}

function noReplay (): never {
  throw new RelayError('NOT_FOUND', 'There is no such replay. Either it never existed, or newer replays have replaced it.')
}
