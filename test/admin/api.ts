/**
 * The admin API on a real Redis, with a real record under it, for one test
 * file. Every answer is held against the OpenAPI document: a field that the
 * document does not know, or a status it does not name, is an error.
 */
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { Ajv, type AnySchema } from 'ajv'
import { adminApp, type AdminOptions } from '../../src/admin/app.js'
import { createAccept } from '../../src/accept/accept.js'
import { matchBody } from '../../src/accept/match-body.js'
import type { DedupePolicy } from '../../src/model/dedupe.js'
import type { Fact } from '../../src/model/fact.js'
import { createMatcher } from '../../src/model/matcher.js'
import type { Subscriber } from '../../src/model/subscriber.js'
import type { NextState } from '../../src/model/work.js'
import { createQueues } from '../../src/queue/bullmq/queues.js'
import { keysOf } from '../../src/redis/keys.js'
import { readOrder } from '../../src/replay/orders.js'
import { createOrderRunner, type OrderRunner } from '../../src/replay/run.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { recordAttempt } from '../support/relay.js'
import { until } from '../support/until.js'

export const OPERATOR = 'operator-token-1'
export const VIEWER = 'viewer-token-1'

export interface Api {
  app: ReturnType<typeof adminApp>
  options: AdminOptions
  redis: TestRedis
  facts: Fact[]
  dedupe: DedupePolicy
  subscribers: Subscriber[]
  /** How often the runner of orders was woken. */
  woken: () => number
  get: (url: string, more?: InjectOptions) => Promise<Reply>
  post: (url: string, body?: unknown, more?: InjectOptions) => Promise<Reply>
  /** Accepts a callback; resolves with its event's id. */
  accept: (fields: { taskId: string, status?: number, type?: string, businessId?: string, [more: string]: unknown }) => Promise<string>
  /** Places an order, has it carried out to its end, and resolves with what is shown of it then. */
  carryOut: (url: string, body: object) => Promise<unknown>
  /** Records an attempt for a first generation. */
  attempt: (eventId: string, subscriber: string, next: NextState, more?: { statusCode?: number, error?: string, generation?: number }) => Promise<void>
  close: () => Promise<void>
}

export interface Reply {
  status: number
  headers: LightMyRequestResponse['headers']
  /** The JSON, `undefined` when the answer was none. */
  json: unknown
  bytes: Buffer
}

/** A subscriber that wants everything. */
export function subscriberNamed (name: string, more: Partial<Subscriber> = {}): Subscriber {
  return {
    name,
    url: `http://user:secret@${name}.internal:9001/hook?key=hidden`,
    shownUrl: `http://***:***@${name}.internal:9001/hook?key=***`,
    match: { types: [], statuses: [], businessIds: [] },
    headers: { authorization: 'Bearer hidden' },
    secrets: ['whsec_hidden'],
    rateLimit: null,
    breaker: null,
    concurrency: 4,
    timeoutMs: 1_000,
    retry: { kind: 'list', waitsMs: [], maxMs: 1_000 },
    maxAgeMs: 60_000,
    throttleMaxMs: 60_000,
    maxBacklog: null,
    tls: null,
    enabled: true,
    ...more
  }
}

/** Starts it with the subscribers `billing` and `mailer`. */
export async function startApi (over: Partial<AdminOptions> = {}): Promise<Api> {
  const redis = await startRedis()
  const client = redis.client({ maxRetriesPerRequest: 1, enableOfflineQueue: false })
  await new Promise(resolve => { client.once('ready', resolve) })
  const facts: Fact[] = []
  const report = (fact: Fact): void => { facts.push(fact) }
  const store = { redis: client, keys: keysOf('test') }
  const queues = createQueues({ redis: client, keys: store.keys, report })
  const subscribers = [subscriberNamed('billing'), subscriberNamed('mailer')]
  const dedupe: DedupePolicy = { windowMs: 3_600_000, onConflict: 'forward', onLate: 'keep', ignoreFields: [] }
  const accept = createAccept({ store, queues, policy: () => ({ dedupe, subscribers }), report })
  let woken = 0
  const options: AdminOptions = {
    store,
    queues,
    accept,
    wants: (match, body) => matchBody(createMatcher([match]), body),
    subscribers: () => subscribers,
    tokens: () => [
      { name: 'alice', value: OPERATOR, role: 'operator' },
      { name: 'dashboard', value: VIEWER, role: 'viewer' }
    ],
    reload: async () => ({ changed: [] }),
    health: async () => ({ ready: true, status: 'ok', reasons: [] }),
    alerts: { current: async () => [], toldOf: () => [], test: async () => [] },
    spool: () => null,
    wakeReplays: () => { woken++ },
    process: () => ({ version: '1.2.3', startedAt: Date.now() - 5_000, pid: 42, redis: 'managed', configFile: 'config/relay.yaml', replicaId: 'rep_1' }),
    report,
    ...over
  }
  const app = adminApp(options)
  const inject = injectorFor(app)
  const runner = (): OrderRunner => createOrderRunner({ store, queues, subscribers: () => subscribers, windowMs: () => dedupe.windowMs, report })

  return {
    app,
    options,
    redis,
    facts,
    dedupe,
    subscribers,
    woken: () => woken,
    get: async (url, more = {}) => await inject({ method: 'GET', url, ...more }),
    post: async (url, body, more = {}) => await inject({
      method: 'POST', url, ...(body === undefined ? {} : { payload: body as object }), ...more
    }),
    async accept (fields) {
      const body = Buffer.from(JSON.stringify({ status: 1, type: 'avatar', ...fields }))
      const acceptance = await accept({ body, contentType: 'application/json', receivedAt: Date.now(), flags: [] })
      if (acceptance.kind !== 'accepted') throw new Error(`not accepted but ${acceptance.kind}`)
      return acceptance.eventId
    },
    async carryOut (url, payload) {
      const { status, json } = await inject({ method: 'POST', url, payload })
      if (status !== 202) throw new Error(`not taken: ${status} ${JSON.stringify(json)}`)
      const { id } = json as { id: string }
      const running = runner()
      running.start()
      await until(`${id} is over`, async () => (await readOrder(store, id))!.state !== 'running')
      await running.stop()
      return (await inject({ method: 'GET', url: `/api/v1/replays/${id}` })).json
    },
    async attempt (eventId, subscriber, next, { statusCode = 200, error, generation = 1 } = {}) {
      await recordAttempt(store, {
        eventId,
        subscriber,
        generation,
        attempt: { number: 0, at: Date.now(), statusCode, error: error ?? null, latencyMs: 12, responseExcerpt: 'hello', replayId: null },
        outcome: null,
        usesBudget: true,
        next
      })
    },
    async close () {
      await app.close()
      await queues.close()
      await redis.close()
    }
  }
}

function injectorFor (app: Api['app']): (request: InjectOptions) => Promise<Reply> {
  let document: OpenApi | undefined
  return async request => {
    document ??= (await app.inject('/api/openapi.json')).json<OpenApi>()
    const { headers = {}, ...rest } = request
    const response = await app.inject({ ...rest, headers: { authorization: `Bearer ${OPERATOR}`, ...headers } })
    const isJson = /json/.test(String(response.headers['content-type']))
    const json = isJson ? response.json<unknown>() : undefined
    if (isJson && response.statusCode < 400) holdAgainst(document, request, { status: response.statusCode, json })
    return { status: response.statusCode, headers: response.headers, json, bytes: response.rawPayload }
  }
}

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, { content: Record<string, { schema?: AnySchema }> }> }>>
}

const ajv = new Ajv({ strict: false, validateFormats: false })

function holdAgainst (document: OpenApi, { method = 'GET', url }: InjectOptions, { status, json }: { status: number, json: unknown }): void {
  const path = String(url).split('?', 1)[0]!
  const pattern = Object.keys(document.paths)
    .find(pattern => new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(path))
  if (pattern === undefined) throw new Error(`${path} is not in the OpenAPI document`)
  const schema = document.paths[pattern]![method.toLowerCase()]?.responses[status]?.content['application/json']?.schema
  if (schema === undefined) throw new Error(`${method} ${path} answering ${status} is not in the OpenAPI document`)
  if (!ajv.validate(closed(schema), json)) {
    throw new Error(`${method} ${path} does not answer as the OpenAPI document says: ${ajv.errorsText()}`)
  }
}

/** The same schema, but no object may hold more than it names. */
function closed (schema: unknown): AnySchema {
  if (Array.isArray(schema)) return schema.map(closed) as unknown as AnySchema
  if (schema === null || typeof schema !== 'object') return schema as AnySchema
  const copy: Record<string, unknown> = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  const names = copy['properties']
  const isClosed = copy['type'] === 'object' && names !== undefined && Object.keys(names as object).length > 0
  return isClosed ? { ...copy, additionalProperties: false } : copy
}
