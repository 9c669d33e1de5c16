import t from '../support/tap.js'
import { Ajv } from 'ajv'
import { startApi } from './api.js'

interface Operation {
  operationId: string
  summary: string
  security?: unknown[]
  parameters?: Array<{ name: string, in: string, required?: boolean, schema: object }>
  requestBody?: { content: { 'application/json': { schema: { properties: object, additionalProperties: boolean } } } }
  responses: Record<string, { description: string, content: object }>
}

/** What a receiver of alerts said, and something that is nobody's business. */
const SAID = { receiver: 'on-call', statusCode: 204, error: null }
const api = await startApi({ alerts: { current: async () => [], toldOf: () => [], test: async () => [{ ...SAID, token: 'hidden' }] } })
t.teardown(api.close)
const document = (await api.app.inject('/api/openapi.json')).json<{
  openapi: string, info: { version: string }, paths: Record<string, Record<string, Operation>>
}>()
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })))

t.test('the document names every route of the contract', async t => {
  t.equal(document.openapi, '3.1.0')
  t.equal(document.info.version, '1.2.3')
  t.strictSame(operations.map(({ name }) => name).sort(), [
    'GET /api/openapi.json',
    'GET /api/v1/alerts',
    'GET /api/v1/deliveries',
    'GET /api/v1/events',
    'GET /api/v1/events/{id}',
    'GET /api/v1/events/{id}/body',
    'GET /api/v1/replays',
    'GET /api/v1/replays/{id}',
    'GET /api/v1/stats',
    'GET /api/v1/subscribers',
    'GET /healthz',
    'GET /readyz',
    'POST /api/v1/alerts/test',
    'POST /api/v1/config/reload',
    'POST /api/v1/deliveries/discard',
    'POST /api/v1/deliveries/release',
    'POST /api/v1/events/{id}/discard',
    'POST /api/v1/events/{id}/release',
    'POST /api/v1/purge',
    'POST /api/v1/replays',
    'POST /api/v1/replays/{id}/cancel',
    'POST /api/v1/subscribers/{name}/pause',
    'POST /api/v1/subscribers/{name}/resume',
    'POST /api/v1/test-events'
  ])
})

t.test('every operation has a name of its own, a sentence, and a problem for everything else', async t => {
  const names = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(names).size, names.length)
  for (const { name, operation } of operations) {
    t.match(operation.summary, /^[A-Z].*\.$/, name)
    t.match(operation.responses, { default: { content: { 'application/problem+json': {} } } }, name)
  }
})

t.test('every parameter of a path is described, and every parameter has a schema', async t => {
  for (const { name, path, operation } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
    const described = (operation.parameters ?? []).filter(parameter => parameter.in === 'path')
    t.strictSame(described.map(parameter => parameter.name), inPath, name)
    t.ok(described.every(({ required }) => required === true), name)
    t.ok((operation.parameters ?? []).every(({ schema }) => typeof schema === 'object'), name)
  }
})

t.test('every schema is one, for a checker that forgives nothing', async t => {
  const ajv = new Ajv({ strict: true, strictTypes: false, formats: { 'date-time': true } })
  for (const { name, operation } of operations) {
    const schemas = Object.values(operation.responses).flatMap(({ content }) => Object.values(content) as Array<{ schema?: object }>)
    for (const { schema } of schemas) {
      if (schema !== undefined && !('$ref' in schema)) t.doesNotThrow(() => ajv.compile(schema), name)
    }
  }
})

t.test('an answer holds what the document says, and nothing else that a handler returns', async t => {
  const { status, json } = await api.post('/api/v1/alerts/test')
  t.equal(status, 200)
  t.strictSame(json, { items: [SAID], nextCursor: null })
})

t.test('what takes no fields asks for no body', async t => {
  const asked = operations.filter(({ operation }) => operation.requestBody !== undefined).map(({ name }) => name)
  t.strictSame(asked.sort(), ['POST /api/v1/deliveries/discard', 'POST /api/v1/deliveries/release', 'POST /api/v1/purge', 'POST /api/v1/replays', 'POST /api/v1/test-events'])
})

t.test('what the document refers to is in it', async t => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!.split('/'))
  t.ok(references.length >= operations.length)
  for (const path of references) {
    t.type(path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document), 'object', path.join('/'))
  }
})

t.test('what the document says of a body is what is checked', async t => {
  const { schema } = document.paths['/api/v1/replays']!['post']!.requestBody!.content['application/json']
  t.equal(schema.additionalProperties, false)
  for (const field of Object.keys(schema.properties)) {
    const { json } = await api.post('/api/v1/replays', { [field]: { no: 'value' } })
    t.match(json, { errors: [{ name: field }] }, field)
  }
})
