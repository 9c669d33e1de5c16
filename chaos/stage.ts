/**
 * Everything that a run needs, as real processes: Redis, gateways, and
 * subscribers that do what they are told. A gateway that ends is started
 * again, as a supervisor would; one that ends by itself is noticed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { makeCertificates, type Certificates } from '../test/support/certificates.js'
import { clockOf } from '../test/support/clock.js'
import { FAULT } from '../test/support/fault.js'
import { startFiller, type Filler } from '../test/support/filler.js'
import { makeHome, startProcess, type GatewayProcess, type Home, type Settings } from '../test/support/gateway.js'
import { makeNames, type TestNames } from '../test/support/names.js'
import { startSubscriber, type Behaviour, type TestSubscriber } from '../test/support/subscriber.js'
import { WELL, type Conduct } from './conduct.js'
import type { Received } from './ledger.js'
import { GIVES_UP, ROLES, SUBSCRIBERS, type Plan, type ServersKind, type SubscriberName } from './plan.js'
import { openServers, type Servers } from './servers.js'

/** Before a gateway that could not start is started again, milliseconds. */
const START_AGAIN_MS = 300

/** How a gateway is ended, and the code that it then has to end with. */
const ENDINGS = {
  kill: { signal: 'SIGKILL', code: null },
  stop: { signal: 'SIGTERM', code: 0 },
  /** By an error of its own. */
  fail: { signal: FAULT.signal, code: 1 }
} as const
export type Ending = keyof typeof ENDINGS

/** One of the gateways, over all its processes. */
export interface StagedGateway {
  /** The one that is up; `null` between two. */
  process (): GatewayProcess | null
  /** It is gone when this resolves; the next begins when `start` is called. */
  end (how: Ending): Promise<void>
  /** Resolves when it is open, or not wanted any more. */
  start (): Promise<void>
  /** Kills it; nothing of it is left, nor will be. */
  close (): Promise<void>
  /** Writes its configuration anew; the gateway is not told. */
  configure (concurrency: number): void
  /** Sets its clock, milliseconds from where the plan has it. */
  setClock (offsetMs: number): void
}

export interface Stage {
  servers: Servers
  /** Of one Redis. */
  filler: Filler | null
  gateways: StagedGateway[]
  subscribers: TestSubscriber[]
  /** What the gateways take for the name server. */
  names: TestNames
  certificates: Certificates
  received: Received[]
  /** What must not happen, in sentences. */
  noticed: string[]
  /** Public endpoints of the gateways that are up and take callbacks. */
  urls (): string[]
  /** Asks whichever gateway answers; throws when none does. */
  api<T> (method: string, path: string, body?: object): Promise<T>
  close (): Promise<void>
}

/** By which the gateways know a subscriber. */
export function hostOf (subscriber: SubscriberName): string {
  return `${subscriber}.relay.invalid`
}

interface Cast { servers: Servers, subscribers: readonly TestSubscriber[], caFile: string }

function settings ({ servers, subscribers, caFile }: Cast, concurrency: number): Settings {
  return {
    redis: servers.settings,
    log: { level: 'info' },
    shutdownGrace: '3s',
    // So that each notification is one event with deliveries.
    dedupe: { onLate: 'forward' },
    delivery: { timeout: '1s', throttleMax: '1s', retry: { attempts: 500, initial: '100ms', factor: 2, max: '1s', jitter: 0.2 }, concurrency, breaker: { failures: 10, window: '2s', openFor: '500ms', maxOpenFor: '2s' } },
    subscribers: SUBSCRIBERS.map(({ name, types, isSecure }, at) => ({
      name,
      url: Object.assign(new URL(subscribers[at]!.url), { hostname: hostOf(name) }).href,
      match: { types: [...types] },
      ...isSecure ? { tls: { caFile } } : {},
      ...name === GIVES_UP ? { retry: ['100ms', '300ms'] } : {}
    }))
  }
}

export interface StageOptions extends Partial<Pick<Plan, 'clocksMs'>> {
  /** The gateway's program; the built one when left out. */
  main?: string | undefined
}

/** More than a run needs, and soon filled: 1,000,000 bytes each. What is remembered of a run's events takes less than a hundredth. */
const FULL_AT_MB = 64

export async function openStage (kind: ServersKind, { main, clocksMs = [] }: StageOptions = {}): Promise<Stage> {
  const noticed: string[] = []
  const received: Received[] = []
  const dir = mkdtempSync(join(tmpdir(), 'relay-chaos-'))
  const certificates = makeCertificates()
  const caFile = join(dir, 'ca.crt')
  writeFileSync(caFile, certificates.ca)
  const names = makeNames()
  const servers = await openServers(kind)
  const filler = servers.redis === null ? null : startFiller(servers.redis, FULL_AT_MB)
  const subscribers = await Promise.all(SUBSCRIBERS.map(async ({ name, isSecure }) =>
    await startSubscriber(treating(received, name, WELL), isSecure ? certificates.server : undefined)))
  SUBSCRIBERS.forEach(({ name }, at) => { names.set(hostOf(name), subscribers[at]!.address()) })
  const cast: Cast = { servers, subscribers, caFile }
  const homes = ROLES.map(() => makeHome(settings(cast, 16)))
  const gateways = ROLES.map((role, at) => stageGateway({
    home: homes[at]!, role, main, names, noticed, clockMs: clocksMs[at] ?? 0, settings: concurrency => settings(cast, concurrency)
  }))
  await Promise.all(gateways.map(async gateway => { await gateway.start() }))
  return {
    servers,
    filler,
    gateways,
    subscribers,
    names,
    certificates,
    received,
    noticed,
    urls: () => gateways.flatMap((gateway, at) => ROLES[at] === 'deliver' ? [] : gateway.process()?.ingestUrl ?? []),
    api: async (method, path, body) => await askAny(gateways, { method, path, body }),
    async close () {
      await Promise.all(gateways.map(async gateway => { await gateway.close() }))
      await Promise.all(subscribers.map(async subscriber => { await subscriber.close() }))
      await filler?.stop()
      await servers.close()
      for (const home of homes) home.remove()
      names.remove()
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

/** Treats what comes in one way, and puts it into the books. */
export function treating (received: Received[], subscriber: SubscriberName, { does, takes, answers }: Conduct): Behaviour {
  return (response, { headers, body, at }, request) => {
    const text = body.toString()
    const one: Received = {
      subscriber,
      eventId: String(headers['webhook-id']),
      attempt: `${String(headers['relay-replay'] ?? 'first')} ${String(headers['relay-attempt'])}`,
      n: numberIn(text),
      body: text,
      receivedAt: String(headers['relay-received-at']),
      revision: Number(headers['relay-revision']),
      at,
      answeredAt: null,
      isTaken: takes,
      isReplay: headers['relay-replay'] !== undefined
    }
    received.push(one)
    if (answers) response.once('finish', () => { one.answeredAt = Date.now() })
    does(response, { headers, body, at }, request)
  }
}

function numberIn (body: string): number | null {
  try {
    const { n } = JSON.parse(body) as { n?: number }
    return n ?? null
  } catch { return null }
}

interface Part { home: Home, role: string, main: string | undefined, names: TestNames, noticed: string[], clockMs: number, settings: (concurrency: number) => Settings }

function stageGateway ({ home, role, main, names, noticed, clockMs, settings }: Part): StagedGateway {
  let current: GatewayProcess | null = null
  let isWanted = false
  let starting: Promise<void> | null = null
  const clock = clockOf(home, clockMs)
  const env = withAll(clock.env, names.env, FAULT.env)

  async function begin (): Promise<void> {
    const process = await startProcess(home, { args: ['--role', role], main, env })
    if (!isWanted) { // ended before it was up
      await process.kill()
      return
    }
    process.child.once('exit', code => {
      if (current !== process) return
      current = null
      noticed.push(`gateway ${role} ended by itself with ${code}: ${JSON.stringify(process.log.at(-1))}`)
    })
    current = process
  }

  async function end (how: Ending): Promise<void> {
    isWanted = false
    const ending = current
    current = null
    if (ending === null) return
    ending.child.kill('SIGCONT')
    const code = await ending.end(ENDINGS[how].signal)
    if (code !== ENDINGS[how].code) noticed.push(`gateway ${role} was to ${how} and ended with ${code}: ${JSON.stringify(ending.log.at(-1))}`)
  }

  /** Without its Redis one that has no spool gives up, and is tried again. */
  async function keepBeginning (): Promise<void> {
    while (isWanted && current === null) await begin().catch(async () => { await wait(START_AGAIN_MS) })
  }

  return {
    process: () => current,
    async start () {
      isWanted = true
      // Two faults of one gateway may end while it starts: it is one all the same.
      starting ??= keepBeginning().finally(() => { starting = null })
      await starting
    },
    end,
    async close () {
      await end('kill')
      await starting
    },
    configure (concurrency) { home.configure(settings(concurrency)) },
    setClock (offsetMs) { if (current !== null) clock.set(current, clockMs + offsetMs) }
  }
}

/** Environments in one: each loads something of its own before the gateway. */
function withAll (...envs: NodeJS.ProcessEnv[]): NodeJS.ProcessEnv {
  return { ...Object.assign({}, ...envs) as NodeJS.ProcessEnv, NODE_OPTIONS: envs.map(env => env['NODE_OPTIONS']).join(' ') }
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
