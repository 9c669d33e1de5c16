/**
 * The journey through Redis without its two ends: a gateway that accepts and
 * works its queues, with a policy the test changes as it goes and a `deliver`
 * that notes what it would have sent.
 *
 * Several gateways may be opened on one Redis and one prefix, as replicas are.
 */
import { createAccept } from '../../src/accept/accept.js'
import type { Accept, Arrival } from '../../src/accept/arrival.js'
import type { DedupePolicy } from '../../src/model/dedupe.js'
import { jobIdOf, type Attempt } from '../../src/model/delivery.js'
import type { Flag } from '../../src/model/event.js'
import type { Fact } from '../../src/model/fact.js'
import type { Subscriber } from '../../src/model/subscriber.js'
import type { AttemptResult, NextState, OpenedDelivery, OpenedEvent } from '../../src/model/work.js'
import { createQueues, type Queues } from '../../src/queue/bullmq/queues.js'
import { createReconciler, type Reconciler } from '../../src/queue/reconcile.js'
import type { Recording } from '../../src/queue/bullmq/batches.js'
import type { Deliver } from '../../src/queue/bullmq/worker.js'
import { createWorkers, type Workers, type WorkersOptions } from '../../src/queue/workers.js'
import { createConfiguredHolds } from '../../src/record/configured-holds.js'
import { readHolds } from '../../src/record/holds.js'
import { LIMITS } from '../../src/record/limits.js'
import { OPEN_DELIVERIES, readOpening, type StoredOpening } from '../../src/record/open-delivery.js'
import { readEvent } from '../../src/record/read-event.js'
import { RECORD_ATTEMPTS, recordingOf } from '../../src/record/record-attempt.js'
import { selectEvents, type Filter, type SelectedEvent } from '../../src/record/select.js'
import type { RecordStore } from '../../src/record/store.js'
import { keysOf, type Keys } from '../../src/redis/keys.js'
import { runPackedScript, withFunctions, type RedisClient } from '../../src/redis/script.js'
import { discardDeliveries } from '../../src/replay/discard.js'
import type { TestRedis } from './redis.js'

/** What a test of tap offers, as far as it is needed here. */
interface Teardown { teardown (end: () => unknown): unknown }

/** Changed by the test as it goes; every gateway reads it at every arrival. */
export interface Policy { dedupe: DedupePolicy, subscribers: Subscriber[] }

export interface Gateway {
  keys: Keys
  /** Fails fast. */
  store: RecordStore
  /** Waits for Redis. */
  blocking: RecordStore
  queues: Queues
  accept: Accept
  policy: Policy
  /** Everything that was reported. */
  facts: Fact[]
  /** Starts taking jobs for the subscribers of the policy; stopped with the test. */
  work (deliver: Deliver, watch?: Pick<WorkersOptions, 'stuckAfterMs' | 'tickEveryMs'>): Promise<Workers>
  reconciler (options?: { small?: number, step?: number, redis?: RedisClient }): Reconciler
}

export interface GatewayOptions {
  prefix: string
  policy: Policy
  /** In the place of a client that fails at once without Redis and waits for as long as one that hangs. */
  failFast?: RedisClient
}

/**
 * A connection as the gateway accepts with, ready.
 *
 * @param path  of another way to the server; such a connection the test ends itself
 */
export async function failFastClient (server: TestRedis, path?: string): Promise<ReturnType<TestRedis['client']>> {
  const options = { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 1_000 }
  const client = path === undefined ? server.client(options) : server.client().duplicate({ ...options, path })
  client.on('error', () => {})
  if (client.status !== 'ready') await new Promise<void>(resolve => { client.once('ready', () => { resolve() }) })
  return client
}

/** One that fails at once when Redis is gone, and else waits: a machine that stands still refuses no arrival of a test that is not about time. */
async function unhurriedClient (server: TestRedis): Promise<ReturnType<TestRedis['client']>> {
  const client = server.client({ enableOfflineQueue: false, maxRetriesPerRequest: 1 })
  if (client.status !== 'ready') await new Promise<void>(resolve => { client.once('ready', () => { resolve() }) })
  return client
}

/** Opens a gateway; it is closed with the test. */
export async function openGateway (t: Teardown, server: TestRedis, options: GatewayOptions): Promise<Gateway> {
  const { prefix, policy } = options
  const failFast = options.failFast ?? await unhurriedClient(server)
  const redis = server.client()
  const keys = keysOf(prefix)
  const facts: Fact[] = []
  const report = (fact: Fact): void => { facts.push(fact) }
  const queues = createQueues({ redis, keys, report })
  const store = { redis: failFast, keys }
  const blocking = { redis, keys }
  const started: Workers[] = []
  await createConfiguredHolds(blocking).takeUp(policy.subscribers)
  t.teardown(async () => {
    await Promise.all(started.map(async workers => { await workers.stop(0) }))
    await queues.close()
  })
  return {
    keys,
    store,
    blocking,
    queues,
    policy,
    facts,
    accept: createAccept({ store, queues, policy: () => policy, report }),
    async work (deliver, watch = {}) {
      const workers = createWorkers({ redis, keys, report, deliver, recording: RECORDING, ...watch })
      started.push(workers)
      await workers.apply(policy.subscribers, 0)
      return workers
    },
    reconciler (more = {}) {
      return createReconciler({ redis, keys, queues, subscribers: async () => [...(await readHolds(blocking)).keys()], report, ...more })
    }
  }
}

/** A subscriber that wants everything. */
export function subscriberNamed (name: string, overrides: Partial<Subscriber> = {}): Subscriber {
  return {
    name,
    url: 'http://127.0.0.1:9/',
    shownUrl: 'http://127.0.0.1:9/',
    match: { types: [], statuses: [], businessIds: [] },
    headers: {},
    secrets: [],
    rateLimit: null,
    concurrency: 16,
    timeoutMs: 1_000,
    retry: { kind: 'list', waitsMs: [], maxMs: 1_000 },
    maxAgeMs: 1_000_000,
    throttleMaxMs: 900_000,
    maxBacklog: null,
    tls: null,
    breaker: null,
    enabled: true,
    ...overrides
  }
}

export function policyFor (names: readonly string[], dedupe: Partial<DedupePolicy> = {}): Policy {
  return {
    dedupe: { windowMs: 600_000, onConflict: 'forward', onLate: 'keep', ignoreFields: [], ...dedupe },
    subscribers: names.map(name => subscriberNamed(name))
  }
}

/** A callback of these fields, as it arrives. */
export function callback (fields: Record<string, unknown>, more: Partial<Arrival> = {}): Arrival {
  return {
    body: Buffer.from(JSON.stringify({ status: 1, type: 'avatar', ...fields })),
    contentType: 'application/json',
    receivedAt: Date.now(),
    flags: [] as Flag[],
    ...more
  }
}

/** Accepts a callback that is new, or throws. */
export async function accepted ({ accept }: Gateway, fields: Record<string, unknown>, more: Partial<Arrival> = {}): Promise<string> {
  const acceptance = await accept(callback(fields, more))
  if (acceptance.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(acceptance)}`)
  return acceptance.eventId
}

/** Every event that fits, newest first. */
export async function allEvents ({ blocking }: Gateway, filter: Filter = {}): Promise<SelectedEvent[]> {
  const rows: SelectedEvent[] = []
  let cursor: number | null = null
  do {
    const page = await selectEvents(blocking, filter, { limit: 500, cursor })
    rows.push(...page.rows)
    cursor = page.next
  } while (cursor !== null)
  return rows
}

/** Whether the queue has the job of this generation. */
export async function hasJob ({ blocking: { redis }, keys }: Gateway, subscriber: string, eventId: string, generation = 1): Promise<boolean> {
  return await redis.exists(`${keys.queuePrefix}:${subscriber}:${jobIdOf(eventId, generation)}`) === 1
}

/** Gives deliveries up, as they are now. @returns how many were not over */
export async function giveUp (store: RecordStore, refs: ReadonlyArray<{ eventId: string, subscriber: string }>): Promise<number> {
  const found = await Promise.all(refs.map(async ({ eventId, subscriber }) => (await readEvent(store, eventId))?.deliveries.filter(one => one.subscriber === subscriber)))
  return await discardDeliveries(store, found.flatMap(deliveries => deliveries ?? []))
}

/** Takes a job out of a queue behind the gateway's back. */
export async function loseJob ({ blocking: { redis }, keys }: Gateway, subscriber: string, eventId: string, generation = 1): Promise<void> {
  const queue = `${keys.queuePrefix}:${subscriber}:`
  const jobId = jobIdOf(eventId, generation)
  await redis.lrem(queue + 'wait', 0, jobId)
  await redis.zrem(queue + 'delayed', jobId)
  await redis.del(queue + jobId)
}

/** More than any test needs. */
export const NO_LIMITS = { concurrency: 1_000, rateLimit: null }

/** What the record lends to the workers of a gateway. */
export const RECORDING: Recording = {
  record_attempts: RECORD_ATTEMPTS,
  limits_of: LIMITS,
  open_deliveries: OPEN_DELIVERIES,
  inputOf: (prefix, results) => recordingOf(prefix, results, () => null),
  read: readOpening,
  recorded () {},
  corrupt () {}
}

const RECORD = withFunctions(
  { name: 'test-record', lua: 'return { cmsgpack.pack(record_attempts({}, { cmsgpack.unpack(ARGV[1]) }, redis)) }' },
  { record_attempts: RECORD_ATTEMPTS.lua }
)

/** Records attempts as a turn of the workers does, without moving any job. What could not be recorded is an error. */
export async function recordAttempts ({ redis, keys }: RecordStore, results: readonly AttemptResult[], breakerOf: Parameters<typeof recordingOf>[2] = () => null): Promise<void> {
  const { output } = await runPackedScript(redis, RECORD, { key: keys.events, input: recordingOf(keys.prefix, results, breakerOf) })
  const why = (output as Array<object | string>).find(recorded => typeof recorded === 'string')
  if (why !== undefined) throw new Error(why)
}

/** The same for one. */
export async function recordAttempt (store: RecordStore, result: AttemptResult): Promise<void> {
  await recordAttempts(store, [result])
}

const OPEN = withFunctions(
  {
    name: 'test-open',
    lua: `local input = cmsgpack.unpack(ARGV[1])
      local time = redis.call('TIME')
      local found = open_deliveries({}, { { prefix = input.prefix, now = time[1] * 1000 + math.floor(time[2] / 1000) } }, redis)
      local opened, due_at = found.open(input.subscriber, input.job)
      return { cmsgpack.pack(opened or due_at or false), unpack(found.bodies) }`
  },
  { open_deliveries: OPEN_DELIVERIES.lua }
)

/** Opens a delivery as a batch of the workers does for a job: what is to be sent, `null`, or the time before which it is not due. */
export async function openDelivery (
  { redis, keys }: RecordStore, ref: { subscriber: string, eventId: string, generation: number }
): Promise<OpenedDelivery | number | null> {
  const input = { prefix: `{${keys.prefix}}:`, subscriber: ref.subscriber, job: jobIdOf(ref.eventId, ref.generation) }
  const { output, blobs } = await runPackedScript(redis, OPEN, { key: keys.events, input })
  if (output === false) return null
  return typeof output === 'number' ? output : readOpening(output as StoredOpening, blobs, ref)
}

/** What `deliver` would have sent. */
export interface Sent {
  subscriber: string
  generation: number
  event: OpenedEvent
  body: string
  attempt: number
  replayId: string | null
  webhookId: string | null
}

export type Answer = (sent: Sent, signal: AbortSignal) => NextState | Promise<NextState>

/** A `deliver` that keeps the rules of the real one and sends nothing. */
export function recordingDeliver (answer: Answer = () => ({ state: 'delivered' })): { deliver: Deliver, sent: Sent[] } {
  const sent: Sent[] = []
  const deliver: Deliver = async ({ subscriber, opened }, signal) => {
    const { event, delivery: { generation, attempts, replayId, webhookId }, body } = opened
    const one: Sent = { subscriber, generation, event, body: body.toString(), attempt: attempts + 1, replayId, webhookId }
    sent.push(one)
    const next = await answer(one, signal)
    const attempt = attemptOf({ number: attempts + 1, replayId, error: next.state === 'delivered' ? null : 'refused' })
    const result: AttemptResult = {
      eventId: event.id, subscriber, generation, attempt, outcome: null, usesBudget: next.state !== 'unchanged', next
    }
    if (next.state === 'unchanged') return { kind: 'give-back', result, onHold: false }
    return next.state === 'retrying' ? { kind: 'again', result, afterMs: next.waitMs } : { kind: 'done', result }
  }
  return { deliver, sent }
}

let attempts = 0

/** An attempt; each starts at a time of its own. */
export function attemptOf (fields: Partial<Attempt> = {}): Attempt {
  attempts += 1
  return { number: 1, at: 1_700_000_000_000 + attempts, statusCode: null, error: null, latencyMs: 1, responseExcerpt: null, replayId: null, ...fields }
}

/** Ends one delivery as the queue would have. */
export async function endDelivery ({ blocking }: Gateway, subscriber: string, eventId: string, next: NextState, generation = 1): Promise<void> {
  const error = next.state === 'delivered' ? null : 'refused'
  await recordAttempt(blocking, { eventId, subscriber, generation, attempt: attemptOf({ error }), outcome: null, usesBudget: true, next })
}
