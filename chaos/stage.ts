/**
 * Everything that a run needs, as real processes: a Redis, gateways, and
 * subscribers that do what they are told. A gateway that ends is started
 * again, as a supervisor would; one that ends by itself is noticed.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { makeHome, startProcess, type GatewayProcess, type Home, type Settings } from '../test/support/gateway.js'
import { startRedis, type TestRedis } from '../test/support/redis.js'
import { answers, startSubscriber, type Behaviour, type TestSubscriber } from '../test/support/subscriber.js'
import type { Received } from './ledger.js'
import { GIVES_UP, ROLES, SUBSCRIBERS, type SubscriberName } from './plan.js'

/** Before a gateway that could not start is started again, milliseconds. */
const START_AGAIN_MS = 300

/** One of the gateways, over all its processes. */
export interface StagedGateway {
  /** The one that is up; `null` between two. */
  process (): GatewayProcess | null
  /** Ends it with a signal; the next begins when `start` is called. */
  end (signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Resolves when it is open. */
  start (): Promise<void>
  /** Writes its configuration anew; the gateway is not told. */
  configure (concurrency: number): void
}

export interface Stage {
  redis: TestRedis
  gateways: StagedGateway[]
  subscribers: TestSubscriber[]
  received: Received[]
  /** What must not happen, in sentences. */
  noticed: string[]
  /** Public endpoints of the gateways that are up and take callbacks. */
  urls (): string[]
  /** Asks whichever gateway answers; throws when none does. */
  api<T> (method: string, path: string, body?: object): Promise<T>
  close (): Promise<void>
}

function settings (redis: TestRedis, subscribers: readonly TestSubscriber[], concurrency: number): Settings {
  return {
    redis: { url: `unix://${redis.path}` },
    log: { level: 'info' },
    shutdownGrace: '3s',
    // So that each notification is one event with deliveries.
    dedupe: { onLate: 'forward' },
    delivery: { timeout: '1s', retry: { attempts: 500, initial: '100ms', factor: 2, max: '1s', jitter: 0.2 }, concurrency, breaker: { failures: 10, window: '2s', openFor: '500ms', maxOpenFor: '2s' } },
    subscribers: SUBSCRIBERS.map(({ name, types }, at) => ({
      name, url: subscribers[at]!.url, match: { types: [...types] }, ...name === GIVES_UP ? { retry: ['100ms', '300ms'] } : {}
    }))
  }
}

/** @param main  the gateway's program; the built one when left out */
export async function openStage (main?: string): Promise<Stage> {
  const noticed: string[] = []
  const received: Received[] = []
  const redis = await startRedis()
  const subscribers = await Promise.all(SUBSCRIBERS.map(async () => await startSubscriber()))
  SUBSCRIBERS.forEach(({ name }, at) => { subscribers[at]!.behave(taking(received, name)) })
  const homes = ROLES.map(() => makeHome(settings(redis, subscribers, 16)))
  const gateways = ROLES.map((role, at) => stageGateway({
    home: homes[at]!, role, main, noticed, settings: concurrency => settings(redis, subscribers, concurrency)
  }))
  await Promise.all(gateways.map(async gateway => { await gateway.start() }))
  return {
    redis,
    gateways,
    subscribers,
    received,
    noticed,
    urls: () => gateways.flatMap((gateway, at) => ROLES[at] === 'deliver' ? [] : gateway.process()?.ingestUrl ?? []),
    api: async (method, path, body) => await askAny(gateways, { method, path, body }),
    async close () {
      await Promise.all(gateways.map(async gateway => { await gateway.end('SIGKILL') }))
      await Promise.all(subscribers.map(async subscriber => { await subscriber.close() }))
      await redis.close()
      for (const home of homes) home.remove()
    }
  }
}

/** Takes what comes, or does what a fault says instead; either way it is in the books. */
export function taking (received: Received[], subscriber: SubscriberName, instead?: Behaviour): Behaviour {
  return (response, { headers, body, at }, request) => {
    const text = body.toString()
    received.push({
      subscriber,
      eventId: String(headers['webhook-id']),
      n: numberIn(text),
      body: text,
      receivedAt: String(headers['relay-received-at']),
      revision: Number(headers['relay-revision']),
      at,
      isTaken: instead === undefined,
      isReplay: headers['relay-replay'] !== undefined
    })
    const behave = instead ?? answers.ok
    behave(response, { headers, body, at }, request)
  }
}

function numberIn (body: string): number | null {
  try {
    const { n } = JSON.parse(body) as { n?: number }
    return n ?? null
  } catch { return null }
}

interface Cast { home: Home, role: string, main: string | undefined, noticed: string[], settings: (concurrency: number) => Settings }

function stageGateway ({ home, role, main, noticed, settings }: Cast): StagedGateway {
  let current: GatewayProcess | null = null
  let isWanted = false

  async function begin (): Promise<void> {
    const process = await startProcess(home, ['--role', role], main)
    process.child.once('exit', code => {
      if (current !== process) return
      current = null
      noticed.push(`gateway ${role} ended by itself with ${code}: ${JSON.stringify(process.log.at(-1))}`)
    })
    current = process
  }

  return {
    process: () => current,
    async start () {
      isWanted = true
      // Without its Redis one that has no spool gives up, and is tried again.
      while (isWanted && current === null) await begin().catch(async () => { await wait(START_AGAIN_MS) })
    },
    async end (signal) {
      isWanted = false
      const ending = current
      current = null
      if (ending === null) return
      ending.child.kill('SIGCONT')
      const code = await ending.end(signal)
      if (signal === 'SIGTERM' && code !== 0) noticed.push(`gateway ${role} was asked to stop and ended with ${code}`)
    },
    configure (concurrency) { home.configure(settings(concurrency)) }
  }
}

interface Question { method: string, path: string, body: object | undefined }

async function askAny <T> (gateways: readonly StagedGateway[], { method, path, body }: Question): Promise<T> {
  let last: unknown = new Error('no gateway is up')
  for (const gateway of gateways) {
    try {
      const { status, json } = await gateway.process()!.api<T>(method, path, body)
      if (status < 300) return json
      last = new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`)
    } catch (error) { last = error }
  }
  throw last
}
