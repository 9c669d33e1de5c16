/**
 * What the longer journeys have in common: subscribers and gateways that end
 * with their test, an external Redis, and what an operator sees.
 */
import type { DeliveryAnswer, DeliveryEntryAnswer, EventDetailAnswer, ReplayAnswer, SubscriberAnswer } from '../../src/admin/answers.js'
import { freePort } from './free-port.js'
import { makeHome, startInProcess, startProcess, type GatewayProcess, type Home, type Settings, type TestGateway } from './gateway.js'
import { startRedis, type TestRedis } from './redis.js'
import { startSubscriber, type Behaviour, type TestSubscriber } from './subscriber.js'
import { until } from './until.js'

/** What a test of tap offers, as far as it is needed here. */
export interface TestContext { teardown (end: () => unknown): unknown }

export interface ExternalRedis extends TestRedis {
  /** As a configuration names it. */
  url: string
}

export interface Scene {
  /** A subscriber that is closed with the test, before the gateways stop: nothing waits for its answers. */
  subscriber (behaviour?: Behaviour): Promise<TestSubscriber>
  /** An external Redis with a port, closed after the gateways. */
  redis (): Promise<ExternalRedis>
  /** A directory with a configuration; stops are quick unless it says otherwise. */
  home (settings: Settings): Home
  /** A gateway in this process. */
  inProcess (home: Home): Promise<Awaited<ReturnType<typeof startInProcess>>>
  /** A gateway as a process of its own. */
  process (home: Home, args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<GatewayProcess>
}

/** Who is ended first: those who answer, those who ask, what they ask, and what they write to. */
const ORDER = ['subscriber', 'gateway', 'redis', 'home'] as const

/**
 * Sets a scene that is cleared with the test: subscribers first, then gateways,
 * Redis and files. Nothing outlives it, also when it is cleared while it is
 * still being built: what comes late is ended as soon as it is there.
 */
export function setScene (t: TestContext): Scene {
  const ends: Array<{ what: typeof ORDER[number], end: () => unknown }> = []
  const building = new Set<Promise<unknown>>()
  const clearing = new AbortController()

  t.teardown(async () => {
    clearing.abort()
    await Promise.allSettled(building)
    for (const turn of ORDER) await Promise.all(ends.filter(({ what }) => what === turn).map(async ({ end }) => { await end() }))
  })

  async function remember<T> (what: typeof ORDER[number], build: () => Promise<T>, endOf: (thing: T) => () => unknown): Promise<T> {
    clearing.signal.throwIfAborted()
    const built = build()
    const kept = built.then(thing => { ends.push({ what, end: endOf(thing) }) })
    building.add(kept)
    await kept.finally(() => { building.delete(kept) })
    clearing.signal.throwIfAborted()
    return await built
  }

  return {
    subscriber: async behaviour => await remember('subscriber', async () => await startSubscriber(behaviour), ({ close }) => close),
    async redis () {
      const port = await freePort()
      const start = async (): Promise<TestRedis> => await startRedis(['--port', String(port), '--bind', '127.0.0.1'])
      // Not a copy: its process changes with each restart.
      return Object.assign(await remember('redis', start, ({ close }) => close), { url: `redis://127.0.0.1:${port}` })
    },
    home (settings) {
      clearing.signal.throwIfAborted()
      const home = makeHome({ shutdownGrace: '2s', ...settings })
      const { configure } = home
      home.configure = changed => { configure({ shutdownGrace: '2s', ...changed }) }
      ends.push({ what: 'home', end: home.remove })
      return home
    },
    inProcess: async home => await remember('gateway', async () => await startInProcess(home), ({ stop }) => stop),
    process: async (home, args, env) => await remember('gateway', async () => await startProcess(home, { args, env, signal: clearing.signal }), ({ stop }) => stop)
  }
}

/** The `redis` part of a configuration that uses a test's server. */
export function onRedis ({ url }: ExternalRedis): Settings {
  return { redis: { url } }
}

/** The first line of the log that fits, from the `after`-th on; waits for it. */
export async function logged (gateway: TestGateway, fits: (line: Record<string, unknown>) => boolean, after = 0): Promise<Record<string, unknown>> {
  return await until(() => gateway.log.slice(after).find(fits))
}

/** What an operator is answered. */
async function see<T> (gateway: TestGateway, path: string): Promise<T> {
  return (await gateway.api<T>('GET', `/api/v1${path}`)).json
}

/** One subscriber, as an operator sees it. */
export async function seeSubscriber (gateway: TestGateway, name: string): Promise<SubscriberAnswer | undefined> {
  const { items } = await see<{ items: SubscriberAnswer[] }>(gateway, '/subscribers')
  return items.find(one => one.name === name)
}

/** Every delivery that fits a query such as `subscriber=billing&state=held`. */
export async function seeDeliveries (gateway: TestGateway, query: string): Promise<DeliveryAnswer[]> {
  const found: DeliveryAnswer[] = []
  let cursor: string | null = ''
  do {
    const page: { items: DeliveryAnswer[], nextCursor: string | null } = await see(gateway,
      `/deliveries?limit=500&${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    found.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
}

/** One event with its deliveries and attempts. */
export async function seeEvent (gateway: TestGateway, eventId: string): Promise<EventDetailAnswer> {
  return await see(gateway, `/events/${eventId}`)
}

/** Resolves when a delivery is in this state. */
export async function untilState (gateway: TestGateway, { eventId, subscriber }: { eventId: string, subscriber: string }, state: string): Promise<DeliveryEntryAnswer> {
  return await until(async () => (await seeEvent(gateway, eventId)).deliveries.find(one => one.subscriber === subscriber && one.state === state))
}

/** Resolves when no delivery is open any more; then what failed, over all subscribers. */
export async function untilNothingIsOpen (gateway: TestGateway): Promise<{ failed: number }> {
  return await until(async () => {
    const { items } = await see<{ items: SubscriberAnswer[] }>(gateway, '/subscribers')
    if (!items.every(({ counts }) => counts.open === 0)) return undefined
    return { failed: items.reduce((sum, { counts }) => sum + counts.failed, 0) }
  })
}

/** Orders a replay and resolves with it when it is over and everything it put back has ended. */
export async function replayed (gateway: TestGateway, order: object): Promise<ReplayAnswer> {
  const { json: { id } } = await gateway.api<{ id: string }>('POST', '/api/v1/replays', order)
  return await untilReplayed(gateway, id)
}

/** As {@link replayed}, for one that was ordered before. */
export async function untilReplayed (gateway: TestGateway, id: string): Promise<ReplayAnswer> {
  return await until(async () => {
    const replay = await see<ReplayAnswer>(gateway, `/replays/${id}`)
    return replay.state === 'done' && replay.delivered + replay.failed === replay.queued ? replay : undefined
  })
}

/** What `/readyz` says. */
export async function seeReadiness ({ adminUrl }: TestGateway): Promise<{ code: number, status: string, reasons: string[] }> {
  const response = await fetch(`${adminUrl}/readyz`)
  return { code: response.status, ...await response.json() as { status: string, reasons: string[] } }
}

/** As {@link seeReadiness}, once `/readyz` does not say that Redis is away: after a pause of the machine it does for a moment. */
export async function seeReadinessWithRedis (gateway: TestGateway): ReturnType<typeof seeReadiness> {
  return await until('/readyz sees Redis', async () => {
    const now = await seeReadiness(gateway)
    return now.reasons.some(reason => reason.startsWith('Redis accepts no writes')) ? undefined : now
  })
}

/** Accepts a new callback, or throws; its event id. */
export async function accept (gateway: TestGateway, callback: { taskId: string, [field: string]: unknown }): Promise<string> {
  return await acceptBytes(gateway, JSON.stringify({ status: 1, type: 'x', ...callback }))
}

/** As {@link accept}, for a body that must stay as it is. */
export async function acceptBytes (gateway: TestGateway, body: string | Buffer, headers?: Record<string, string>): Promise<string> {
  const first = await gateway.post(body, headers)
  const last = await isTaken(gateway, first) && first.json['status'] === 'spooled' ? await sendDuplicate(gateway, body, headers) : first
  const { status, eventId } = last.json
  if (typeof eventId !== 'string' || (last === first && status !== 'accepted')) throw new Error(`not accepted: ${last.status} ${JSON.stringify(last.json)}`)
  return eventId
}

/**
 * Whether an answer says that a new callback is safe: Redis has it, or, after a
 * pause of the machine, the spool. Waits in vain when the gateway does not say
 * why it went to the spool.
 */
export async function isTaken (gateway: TestGateway, { status, json }: { status: number, json: Record<string, unknown> }): Promise<boolean> {
  if (json['status'] === 'spooled') await logged(gateway, ({ msg }) => msg === 'spool.began')
  return status === 200 && (json['status'] === 'accepted' || json['status'] === 'spooled')
}

/** What a duplicate is answered. After a pause of the machine a callback may go to the spool: it is sent again until Redis has it. */
export async function sendDuplicate (gateway: TestGateway, body: string | Buffer | object, headers?: Record<string, string>): ReturnType<TestGateway['post']> {
  return await until('a duplicate is answered by Redis', async () => {
    const answer = await gateway.post(body, headers)
    return answer.json['status'] === 'spooled' ? undefined : answer
  })
}

/** The tasks among what a subscriber received, one entry per request. */
export function tasksOf ({ received }: TestSubscriber): string[] {
  return received.map(({ headers }) => String(headers['relay-task-id']))
}
