/**
 * A gateway as users run it: the built command, a process of its own, its own
 * managed Redis with the default durability. Only what a bench must change is
 * changed: who may call, how often, and how much is logged.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { socketPathFor } from '../../src/redis/data-dir.js'
import { maxMemoryMb } from './max-memory.js'
import { makePlace } from './place.js'
import type { Stage } from './stage.js'

/** The built command. */
export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 8_000
/** 24 bytes; every subscriber's deliveries are signed. */
const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3'

export interface GatewayOptions {
  /** Where data goes. */
  base: string
  logLevel: string
  /** Base of the subscribers' URLs. */
  subscriberPort: number
  /** A subscriber for each: `/a` is named `a`. */
  paths: string[]
  /** Only takes callbacks, only delivers, or everything. */
  role?: 'ingest' | 'deliver' | 'all'
  /** The socket of a Redis that several gateways share; without it the gateway has its own. */
  redis?: string
  /** Of each subscriber; the default when left out. */
  concurrency?: number
  /** For Node, before the program. */
  nodeArgs?: string[]
  /** How long events and claims are kept; the default when left out. */
  keep?: string
}

export interface BenchGateway {
  ingest: { port: number, path: string }
  /** Of its Redis. */
  socket: string
  /** Of the present process. */
  readonly pid: number
  configFile: string
  pause (path: string): Promise<void>
  resume (path: string): Promise<void>
  /** Reads from the admin API, as an operator does; `path` begins behind `/api/v1`. */
  read (path: string): Promise<unknown>
  /** Gives an order through it. */
  order (path: string, body: object): Promise<unknown>
  /** Ends it and its own Redis, as an operator does. */
  stop (): Promise<void>
  /** Starts it again, with the same data; waits for nothing. */
  start (): void
}

/** Starts one and waits until `/readyz` says that nothing is wrong: it takes callbacks before its Redis is there. */
export async function startGateway (stage: Stage, options: GatewayOptions): Promise<BenchGateway> {
  const home = makePlace(stage, options.base)
  const dataDir = join(home, 'data')
  const [ingestPort, adminPort] = await freePorts()
  const configFile = join(home, 'relay.yaml')
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(configuration(options, { dataDir, ingestPort, adminPort })))
  let running = launch(options, configFile)
  stage.add(async () => { await stop(running.child, dataDir) })
  await ready(running, adminPort)

  async function ask (path: string, method: 'GET' | 'POST', body?: object): Promise<unknown> {
    const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim()
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(`http://127.0.0.1:${adminPort}/api/v1${path}`, {
      method, headers: { authorization: `Bearer ${token}`, ...json }, ...body === undefined ? {} : { body: JSON.stringify(body) }
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return await response.json()
  }

  return {
    ingest: { port: ingestPort, path: '/webhooks/fotor' },
    socket: options.redis ?? socketPathFor(dataDir),
    get pid () { return running.child.pid! },
    configFile,
    async pause (path) { await ask(`/subscribers${path}/pause`, 'POST') },
    async resume (path) { await ask(`/subscribers${path}/resume`, 'POST') },
    read: async path => await ask(path, 'GET'),
    order: async (path, body) => await ask(path, 'POST', body),
    async stop () { await stop(running.child, dataDir) },
    start () { running = launch(options, configFile) }
  }
}

/** A process, and the last that it said of what went wrong. */
interface RunningGateway { child: ChildProcess, noise: () => string }

function launch ({ nodeArgs = [], role = 'all' }: GatewayOptions, configFile: string): RunningGateway {
  const { PATH = '', HOME = '', RELAY_REDIS_BIN = '' } = process.env
  const child = spawn(process.execPath, [...profiling(), ...nodeArgs, MAIN, 'start', '--config', configFile, '--role', role], {
    env: { PATH, HOME, NODE_ENV: 'production', ...(RELAY_REDIS_BIN === '' ? {} : { RELAY_REDIS_BIN }) },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let noise = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { noise = (noise + text).slice(-2_000) })
  return { child, noise: () => noise }
}

/** `BENCH_CPU_PROF=dir` makes each gateway leave a CPU profile there when it stops. */
function profiling (): string[] {
  const dir = process.env['BENCH_CPU_PROF'] ?? ''
  return dir === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${dir}`]
}

interface Ports { dataDir: string, ingestPort: number, adminPort: number }

function configuration ({ logLevel, subscriberPort, paths, redis, concurrency, keep }: GatewayOptions, { dataDir, ingestPort, adminPort }: Ports): object {
  return {
    ingest: {
      listen: `127.0.0.1:${ingestPort}`,
      allowFrom: ['127.0.0.1'],
      // The whole load comes from one address.
      rateLimit: { max: 1_000_000_000, per: '1m' }
    },
    admin: { listen: `127.0.0.1:${adminPort}` },
    dataDir,
    // Half of the memory, the default, does not hold the largest backlog on a small machine.
    redis: redis === undefined ? { maxMemory: `${maxMemoryMb()}mb` } : { url: `unix://${redis}` },
    log: { level: logLevel },
    ...keep === undefined ? {} : { retention: { events: keep }, dedupe: { window: keep } },
    // What hangs when a measure is over is not waited for.
    shutdownGrace: '1s',
    subscribers: paths.map(path => ({
      name: path.slice(1), url: `http://127.0.0.1:${subscriberPort}${path}`, secrets: [SECRET], ...concurrency === undefined ? {} : { concurrency }
    }))
  }
}

async function ready ({ child, noise }: RunningGateway, port: number): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode} while starting: ${noise()}`)
    const status = await fetch(`http://127.0.0.1:${port}/readyz`).then(async response => (await response.json() as { status: string }).status, () => '')
    if (status === 'ok') return
    await wait(25)
  }
  throw new Error(`the gateway was not ready within ${READY_WITHIN_MS / 1_000} s: ${noise()}`)
}

/** Gently first; what is left of its Redis after that is ended by us. */
async function stop (child: ChildProcess, dataDir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const killer = setTimeout(() => { child.kill('SIGKILL') }, STOP_WITHIN_MS)
    await gone
    clearTimeout(killer)
  }
  const socket = socketPathFor(dataDir)
  if (!existsSync(socket)) return
  const client = new Redis({ path: socket, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  await client.connect().then(async () => await client.call('SHUTDOWN', 'NOSAVE')).catch(() => {})
  client.disconnect()
}

async function freePorts (): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports = await Promise.all(servers.map(async server => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }))
  await Promise.all(servers.map(async server => { await once(server.close(), 'close') }))
  return ports as [number, number]
}
