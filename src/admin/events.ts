/**
 * Events: listed, looked at, their bytes, and what one of them holds back let
 * go or given up.
 */
import { Type } from 'typebox'
import { RelayError } from '../model/errors.js'
import { readBody, readEvent } from '../record/read-event.js'
import { readTime } from '../record/read-time.js'
import { selectEvents } from '../record/select.js'
import { discardEvent, releaseEvent } from '../replay/release.js'
import { eventCursor, readEventCursor } from './cursor.js'
import { DEFAULT_LIMIT, listQuery, readFilters, type ListQuery } from './filters.js'
import type { AdminOptions } from './options.js'
import { API, pathParameter, type Route } from './route.js'
import { Count, EventDetailShape, EventsShape, showEvent, showEventDetail } from './shapes.js'

/** The routes under `/events`. */
export function eventRoutes (options: AdminOptions): Route[] {
  return [list(options), show(options), giveBody(options), release(options), discard(options)]
}

function list ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/events`,
    does: 'Lists events, newest first. A page may be short while nextCursor is set.',
    query: listQuery,
    answers: { 200: { means: 'A page of events', schema: EventsShape } },
    async handle (request) {
      const { limit = DEFAULT_LIMIT, cursor, ...filters } = request.query as ListQuery
      const { rows, next, ...total } = await selectEvents(store, readFilters(filters, await readTime(store)), { limit, cursor: readEventCursor(cursor) })
      return { items: rows.map(showEvent), nextCursor: next === null ? null : eventCursor(next), ...total }
    }
  }
}

function show ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/events/:id`,
    does: 'Shows one event with its deliveries and attempts.',
    answers: { 200: { means: 'The event', schema: EventDetailShape } },
    async handle (request) {
      return showEventDetail(await readEvent(store, pathParameter(request, 'id')) ?? noEvent())
    }
  }
}

function giveBody ({ store }: AdminOptions): Route {
  return {
    method: 'GET',
    path: `${API}/events/:id/body`,
    does: 'Gives the body of an event, byte for byte as it arrived.',
    answers: { 200: { means: 'The bytes', contentType: 'application/octet-stream' } },
    async handle (request, reply) {
      const id = pathParameter(request, 'id')
      const bytes = await readBody(store, id) ?? (await readEvent(store, id) === null ? noEvent() : noBody())
      return reply.headers({ 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' }).send(bytes)
    }
  }
}

function release ({ store, queues }: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/events/:id/release`,
    does: 'Delivers what is held for a reason of the event itself.',
    answers: { 200: { means: 'How many deliveries were put in their queues', schema: Type.Object({ released: Count }) } },
    async handle (request) {
      return { released: await releaseEvent(store, queues, pathParameter(request, 'id')) ?? noEvent() }
    }
  }
}

function discard ({ store }: AdminOptions): Route {
  return {
    method: 'POST',
    path: `${API}/events/:id/discard`,
    does: 'Gives up every delivery of an event that is not over.',
    answers: { 200: { means: 'How many deliveries were given up', schema: Type.Object({ discarded: Count }) } },
    async handle (request) {
      return { discarded: await discardEvent(store, pathParameter(request, 'id')) ?? noEvent() }
    }
  }
}

function noBody (): never {
  throw new RelayError('NOT_FOUND', 'The body of this event is lost: the event is corrupt, and what was owed of it has failed or will.')
}

function noEvent (): never {
  throw new RelayError('NOT_FOUND', 'There is no such event. Either it never existed, or its retention has ended.')
}
