/**
 * A whole gateway for a journey test: its own directory, its own managed
 * Redis, free ports. Either in this process, or as a process of its own that
 * can be killed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { startGateway, type Gateway } from '../../src/gateway.js'
import { endWithUs } from './children.js'
import { until } from './until.js'

/** The built command, as users run it; `npm test` builds it first. */
export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** A configuration as it would be written in YAML; what is left out is filled in for a test. */
export type Settings = Record<string, unknown>

export interface Home {
  dir: string
  configFile: string
  /** Writes the configuration anew. */
  configure (settings: Settings): void
  remove (): void
}

/** A directory with a configuration that can run anywhere, and beside any other. */
export function makeHome (settings: Settings = {}): Home {
  const dir = mkdtempSync(join(tmpdir(), 'relay-home-'))
  mkdirSync(dir, { recursive: true })
  const configFile = join(dir, 'relay.yaml')
  const home: Home = {
    dir,
    configFile,
    configure (changed) { writeFileSync(configFile, stringify(complete(dir, changed))) },
    remove () { rmSync(dir, { recursive: true, force: true }) }
  }
  home.configure(settings)
  return home
}

function complete (dir: string, settings: Settings): Settings {
  const part = (name: string): Settings => settings[name] as Settings | undefined ?? {}
  return {
    dataDir: join(dir, 'data'),
    ...settings,
    ingest: { listen: '127.0.0.1:0', allowFrom: ['127.0.0.1'], ...part('ingest') },
    admin: { listen: '127.0.0.1:0', ...part('admin') },
    // Most tests are about what becomes of a delivery that fails, however often.
    delivery: { breaker: { enabled: false }, ...part('delivery') },
    log: { level: 'debug', ...part('log') }
  }
}

/** What both kinds of gateway can do. */
export interface TestGateway {
  home: Home
  ingestUrl: string
  adminUrl: string
  /** Every log line so far, parsed. */
  log: Array<Record<string, unknown>>
  /** Posts a callback. */
  post (body: string | Buffer | object, headers?: Record<string, string>): Promise<{ status: number, json: Record<string, unknown> }>
  /** Asks the admin API as an operator; who reads, pauses or resumes asks again while Redis has no time for it. */
  api<T = Record<string, unknown>> (method: string, path: string, body?: object): Promise<{ status: number, json: T }>
  stop (): Promise<void>
}

/** Starts a gateway in this process. */
export async function startInProcess (home: Home, env: NodeJS.ProcessEnv = process.env): Promise<TestGateway & { gateway: Gateway }> {
  const log: Array<Record<string, unknown>> = []
  const gateway = await startGateway({
    configFile: home.configFile, env, log: { write: line => { log.push(JSON.parse(line) as Record<string, unknown>) } }
  })
  return {
    gateway,
    home,
    log,
    ...callers(home, gateway.addresses.ingest + gateway.ingestPath, gateway.addresses.admin),
    stop: gateway.stop
  }
}

export interface GatewayProcess extends TestGateway {
  child: ChildProcess
  /** SIGKILL, and the process is gone when this resolves. Its Redis lives on. */
  kill (): Promise<void>
  /** Sends a signal; resolves with the exit code. */
  end (signal: NodeJS.Signals): Promise<number | null>
}

export interface ProcessOptions {
  /** Added to its command line. */
  args?: readonly string[] | undefined
  /** The built program when left out. */
  main?: string | undefined
  /** Added to its environment. */
  env?: NodeJS.ProcessEnv | undefined
  /** Aborted while it starts: it is killed. */
  signal?: AbortSignal | undefined
}

/** A process that may not be open yet, and may never be. */
export interface Launch {
  child: ChildProcess
  log: TestGateway['log']
  /** What it has said on standard error. */
  err: () => string
  /** Resolves with the line that says that it is open; rejects when it ends before. */
  open: Promise<Record<string, unknown>>
  /** Resolves with its exit code when it is gone. */
  gone (): Promise<number | null>
}

/** Starts a gateway as a process of its own, and waits for nothing. */
export function launch (home: Home, { args = [], main = MAIN, env = {} }: ProcessOptions = {}): Launch {
  const child = spawn(process.execPath, [main, 'start', '--config', home.configFile, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  endWithUs(child)
  const log: Array<Record<string, unknown>> = []
  const noise: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => noise.push(text))
  const open = new Promise<Record<string, unknown>>((resolve, reject) => {
    child.once('exit', code => { reject(new Error(`the gateway ended with ${code}: ${noise.join('')} ${JSON.stringify(log.slice(-5))}`)) })
    eachLine(child, line => {
      log.push(line)
      if (line['msg'] === 'gateway is open') resolve(line)
    })
  })
  open.catch(() => {}) // nobody may wait for it
  return {
    child,
    log,
    err: () => noise.join(''),
    open,
    async gone () {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      return child.exitCode
    }
  }
}

/** Starts a gateway as a process of its own, and waits until it is open. */
export async function startProcess (home: Home, { signal, ...options }: ProcessOptions = {}): Promise<GatewayProcess> {
  const { child, log, open: opening, gone } = launch(home, options)
  const kill = (): void => { child.kill('SIGKILL') }
  signal?.addEventListener('abort', kill)
  const open = await opening.finally(() => { signal?.removeEventListener('abort', kill) })
  const path = String(open['ingestPath'] ?? '/webhooks/fotor')
  return {
    child,
    home,
    log,
    ...callers(home, String(open['ingest']) + path, String(open['admin'])),
    async kill () {
      child.kill('SIGKILL')
      await gone()
    },
    async end (signal) {
      child.kill(signal)
      return await gone()
    },
    async stop () {
      child.kill('SIGTERM')
      await gone()
    }
  }
}

function eachLine (child: ChildProcess, tell: (line: Record<string, unknown>) => void): void {
  let rest = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      if (line.startsWith('{')) tell(JSON.parse(line) as Record<string, unknown>)
    }
  })
}

function callers (home: Home, ingestUrl: string, adminUrl: string): Pick<TestGateway, 'ingestUrl' | 'adminUrl' | 'post' | 'api'> {
  return {
    ingestUrl,
    adminUrl,
    async post (body, headers = { 'content-type': 'application/json' }) {
      const response = await fetch(ingestUrl, {
        method: 'POST', headers, body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
      })
      return { status: response.status, json: await response.json() as Record<string, unknown> }
    },
    async api<T> (method: string, path: string, body?: object) {
      const token = readFileSync(join(home.dir, 'data', 'admin-token'), 'utf8').trim()
      const ask = async (): Promise<{ status: number, json: T }> => {
        const response = await fetch(adminUrl + path, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        return { status: response.status, json: await response.json() as T }
      }
      // What may be done twice is asked again while Redis has no time for it.
      if (method !== 'GET' && !/\/(pause|resume)$/.test(path)) return await ask()
      return await until(`${path} is answered`, async () => {
        const answer = await ask()
        return answer.status !== 503 && answer
      })
    }
  }
}
