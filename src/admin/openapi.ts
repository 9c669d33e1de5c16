/**
 * The OpenAPI document. @fastify/swagger makes it from the schemas of the routes:
 * the same schemas that check the input and write the answers.
 *
 * @see https://spec.openapis.org/oas/v3.1.0
 */
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { Type, type TObject } from 'typebox'
import { PROBLEM_TYPE } from './problem.js'
import type { RouteAnswer, Route } from './route.js'

const ProblemShape = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.Optional(Type.String({ description: 'what is wrong and what to do' })),
  errors: Type.Optional(Type.Array(Type.Object({ name: Type.String(), problem: Type.String() })))
}, { $id: 'Problem' })

const PROBLEM = { description: 'A problem (RFC 9457)', content: { [PROBLEM_TYPE]: { schema: { $ref: 'Problem#' } } } }

/** Serves the document of its app. */
export const OPENAPI_ROUTE: Route = {
  method: 'GET',
  path: '/api/openapi.json',
  does: 'Returns this document.',
  open: true,
  answers: { 200: { means: 'The document', schema: Type.Object({}, { additionalProperties: true }) } },
  handle: async request => request.server.swagger()
}

/** Makes an app describe the routes that are added after this call. */
export function describeApi (app: FastifyInstance, version: string): void {
  app.addSchema(ProblemShape)
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'fotor-relay admin API', version, description: 'Events, deliveries, replays and subscribers of one fotor-relay.' },
      security: [{ bearer: [] }],
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'One of the admin tokens; the token of a viewer may only read.' } }
      }
    },
    transform: ({ schema, url }) => ({ url, schema: withoutEmptyBody(schema) }),
    refResolver: { buildLocalReference: ({ $id }) => String($id) }
  })
}

/** The options of a route for Fastify and for the document. */
export function schemaOf ({ method, path, does, open = false, query, body, answers }: Route): FastifySchema {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => [name!, Type.String()] as const)
  return {
    operationId: operationIdOf(method, path),
    summary: does,
    ...(open ? { security: [] } : { querystring: query ?? NOTHING }),
    ...(names.length === 0 ? {} : { params: Type.Object(Object.fromEntries(names)) }),
    ...(method === 'POST' ? { body: { ...body ?? NOTHING, additionalProperties: false } } : {}),
    response: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer)])),
      default: PROBLEM
    }
  }
}

const NOTHING = Type.Object({})

/** A route without fields needs no body, but accepts an empty one. */
function withoutEmptyBody ({ body, ...rest }: FastifySchema): FastifySchema {
  const isEmpty = body === undefined || Object.keys((body as TObject).properties).length === 0
  return isEmpty ? rest : { ...rest, body }
}

function describeAnswer ({ means, schema = {}, contentType = 'application/json' }: RouteAnswer): object {
  return { description: means, content: { [contentType]: { schema } } }
}

/** `POST /api/v1/replays/:id/cancel` is `postReplaysIdCancel`. */
function operationIdOf (method: string, path: string): string {
  const words = path.replace(/^\/api(\/v1)?/, '').split(/[^A-Za-z0-9]+/).filter(word => word !== '')
  return method.toLowerCase() + words.map(word => word[0]!.toUpperCase() + word.slice(1)).join('')
}
