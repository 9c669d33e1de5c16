/**
 * The admin listener: the API for operators, and the probes.
 *
 *   host ──▶ token ──▶ content ──▶ input ──▶ idempotency ──▶ route
 *
 * Promises that every route but those marked open asks for a token first, also
 * one that is added later; that every error is a problem of RFC 9457; and that
 * nothing is cached. Allows no other origin anything. Never listens by itself.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { TObject } from 'typebox'
import { isRelayError } from '../model/errors.js'
import { alertRoutes } from './alerts.js'
import { createAuth } from './auth.js'
import { checkFor } from './check-input.js'
import { configRoutes } from './config.js'
import { deliveryRoutes } from './deliveries.js'
import { eventRoutes } from './events.js'
import { healthRoutes } from './health.js'
import { createIdempotency } from './idempotency.js'
import { mustBeForThisHost } from './local-host.js'
import { describeApi, OPENAPI_ROUTE, schemaOf } from './openapi.js'
import type { AdminOptions } from './options.js'
import { documentOf, PROBLEM_TYPE, problemOf, sendProblem } from './problem.js'
import { purgeRoutes } from './purge.js'
import { replayRoutes } from './replays.js'
import type { Route } from './route.js'
import { statsRoutes } from './stats.js'
import { subscriberRoutes } from './subscribers.js'
import { testEventRoutes } from './test-events.js'

export type { AdminOptions } from './options.js'

const MAX_BODY_BYTES = 1024 * 1024
const HEADERS_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 9_000
const CHECK_INTERVAL_MS = 500
const IDLE_TIMEOUT_MS = 75_000
const MAX_HEADER_BYTES = 16 * 1024

/** A part of a path is looked up, and found or not. */
const ANY = (): boolean => true

/**
 * Makes the admin API.
 *
 * @returns a Fastify app that does not listen yet; closing it waits for the
 *          requests under way
 */
export function adminApp (options: AdminOptions): FastifyInstance {
  const routes = routesOf(options)
  const app = createServer()
  readOnlyJson(app)
  app.setValidatorCompiler(({ schema, httpPart }) => httpPart === 'params' ? ANY : checkFor(schema as TObject, httpPart === 'body' ? 'body' : 'query'))
  app.setErrorHandler((error, _request, reply) => fail(options, error, reply))
  app.setNotFoundHandler((request, reply) => answerUnknown(routes, request, reply))

  const open = new Set(routes.filter(route => route.open === true).map(({ path }) => path))
  const authenticate = createAuth(options)
  const idempotency = createIdempotency(options.store, options.report)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    mustBeForThisHost(app, request)
    if (!isOpen(request, open)) authenticate(request)
  })
  app.addHook('preHandler', idempotency.begin)
  app.addHook('onSend', idempotency.end)
  describeApi(app, options.process().version)
  app.register(async app => { for (const route of routes) addRoute(app, route) })
  return app
}

function routesOf (options: AdminOptions): Route[] {
  return [
    ...healthRoutes(options),
    ...eventRoutes(options),
    ...deliveryRoutes(options),
    ...replayRoutes(options),
    ...purgeRoutes(options),
    ...subscriberRoutes(options),
    ...alertRoutes(options),
    ...testEventRoutes(options),
    ...configRoutes(options),
    ...statsRoutes(options),
    OPENAPI_ROUTE
  ]
}

function createServer (): FastifyInstance {
  return Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    return503OnClosing: false, // probes shall learn why, from `/readyz`
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      maxHeaderSize: MAX_HEADER_BYTES
    },
    frameworkErrors: (error, _request, reply) => { sendProblem(reply, problemOf(error)) },
    clientErrorHandler: endUnparsable
  })
}

/** JSON, or nothing at all: many clients name a content type and send no body. */
function readOnlyJson (app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else parse(request, body as string, done)?.catch(done)
  })
}

function addRoute (app: FastifyInstance, route: Route): void {
  app.route({ method: route.method, url: route.path, schema: schemaOf(route), handler: route.handle })
}

/** What is not there needs a token too where the API would be: who has none learns nothing of it. */
function isOpen (request: FastifyRequest, open: ReadonlySet<string>): boolean {
  if (request.is404) return !pathOf(request).startsWith('/api/')
  return open.has(request.routeOptions.url ?? '')
}

/** 404, or 405 when it is only the method that is not known. */
function answerUnknown (routes: readonly Route[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const methods = routes.filter(({ path }) => isPathOf(path, pathOf(request))).map(({ method }) => method)
  if (methods.length === 0) return sendProblem(reply, { status: 404, detail: 'There is nothing here; /api/openapi.json lists what there is.' })
  const allow = methods.flatMap(method => method === 'GET' ? ['GET', 'HEAD'] : [method]).join(', ')
  return sendProblem(reply, { status: 405, detail: `This takes ${allow}.`, headers: { allow } })
}

function isPathOf (pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const parts = path.split('/')
  return parts.length === wanted.length && wanted.every((part, at) => part.startsWith(':') ? parts[at] !== '' : part === parts[at])
}

function pathOf (request: FastifyRequest): string {
  return request.url.split('?', 1)[0]!
}

/** What nobody expected goes to the log, and only there. */
function fail ({ report }: AdminOptions, error: unknown, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error)
  if (problem.status === 500 && !isRelayError(error)) {
    report({ fact: 'admin.failed', error: error instanceof Error ? error.message : String(error) })
  }
  return sendProblem(reply, problem)
}

/** Ends a connection that did not carry HTTP, or not in time. */
function endUnparsable (error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  const body = documentOf({ status })
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}
