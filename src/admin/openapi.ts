/**
 * The OpenAPI document, made from the routes themselves.
 *
 * @see https://spec.openapis.org/oas/v3.1.0
 */
import { Type, type TObject } from 'typebox'
import { PROBLEM_TYPE } from './problem.js'
import type { RouteAnswer, Route } from './route.js'

const ProblemShape = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.Optional(Type.String({ description: 'what is wrong and what to do' })),
  errors: Type.Optional(Type.Array(Type.Object({ name: Type.String(), problem: Type.String() })))
})

const PROBLEM = {
  description: 'A problem (RFC 9457)',
  content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } }
}

/** The route that gives the document; it is made once. */
export function openApiRoute (routes: readonly Route[], version: string): Route {
  const route: Route = {
    method: 'GET',
    path: '/api/openapi.json',
    does: 'Gives this document.',
    open: true,
    answers: { 200: { means: 'The document', schema: Type.Object({}) } },
    handle: async () => document
  }
  const document = describeApi([...routes, route], version)
  return route
}

function describeApi (routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'fotor-relay admin API', version, description: 'Events, deliveries, replays and subscribers of one fotor-relay.' },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'One of the admin tokens; a viewer\'s may only read.' } },
      schemas: { Problem: ProblemShape }
    }
  }
}

function describeRoute ({ method, path, does, open, query, body, answers }: Route): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: Type.String() }))
  const parameters = [...inPath, ...(query === undefined ? [] : describeQuery(query))]
  return {
    operationId: operationIdOf(method, path),
    summary: does,
    ...(open === true ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: { 'application/json': { schema: { ...body, additionalProperties: false } } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer)])),
      default: PROBLEM
    }
  }
}

/** Nothing in a query is required. */
function describeQuery (query: TObject): object[] {
  return Object.entries(query.properties).map(([name, schema]) => ({
    name,
    in: 'query',
    description: (schema as { description?: string }).description,
    schema
  }))
}

function describeAnswer ({ means, schema, contentType = 'application/json' }: RouteAnswer): object {
  return { description: means, content: { [contentType]: schema === undefined ? {} : { schema } } }
}

/** `POST /api/v1/replays/:id/cancel` is `postReplaysIdCancel`. */
function operationIdOf (method: string, path: string): string {
  const words = path.replace(/^\/api(\/v1)?/, '').split(/[^A-Za-z0-9]+/).filter(word => word !== '')
  return method.toLowerCase() + words.map(word => word[0]!.toUpperCase() + word.slice(1)).join('')
}
