/**
 * The managed Redis, for a configuration that names none.
 *
 * It keeps acknowledged writes through a crash of any process and, if the disk
 * keeps synced data, through a power loss. A data directory never has more than
 * one server: the directory has one owner, a server that a crash has left is
 * adopted, and one that dies is started again, at once and then with growing
 * waits. A stop of the gateway ends it, but Ctrl-C does not, nor a stop if it must
 * outlive the gateway.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Report } from '../model/fact.js'
import { lockDataDir, type DataDirLock } from './data-dir-lock.js'
import { prepareDataDir, removeSocket, socketPathFor } from './data-dir.js'
import { inMegabytes, machineMemory } from './machine-memory.js'
import { isAlive } from './process-mark.js'
import { adoptServer } from './server-adoption.js'
import { endServer, spawnServer, type LivingServer } from './server-process.js'
import { findServerProgram, type Env } from './server-program.js'
import { readServerRecord, removeServerRecord } from './server-record.js'
import type { ServerLoading, ServerPlace } from './server-settings.js'
import type { RedisTarget } from './target.js'

export interface ManagedRedis {
  readonly target: RedisTarget & { kind: 'socket' }
  /** Resolves when the server answers and has read its data. Rejects if it does not start; then the start is tried again. */
  readonly up: Promise<{ adopted: boolean, pid: number }>
  /** Pid of the present server process; changes after a restart. `null` before the first. */
  pid (): number | null
  /** Warnings for the operator. */
  readonly warnings: readonly string[]
  /** Ends the server unless it must outlive the gateway, and releases the data directory. Idempotent; never rejects. */
  stop (): Promise<void>
}

/** A managed server that is up. */
export interface StartedRedis extends ManagedRedis {
  adopted: boolean
  pid (): number
}

export interface ManagedRedisOptions {
  /** Created if it is missing. */
  dataDir: string
  /** PATH and RELAY_REDIS_BIN are read. */
  env: Env
  /** Memory limit of the server's data; `null` for half of the available memory. */
  maxMemoryBytes: number | null
  /** The server outlives `stop`; the next start adopts it, and need not read its data again. */
  keepRunning?: boolean
  report: Report
}

/** A server that has lived this long is started again at once, milliseconds. */
const STEADY_MS = 10_000
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 5_000

/**
 * Takes the data directory, and begins to bring up its server: adopts a living one,
 * else starts one, and keeps it alive from then on. Does not wait for slow steps: a
 * server may read a large file for minutes.
 *
 * `up` rejects with RelayError DATA_DIR_IN_USE if another server has the
 * directory, REDIS_UNAVAILABLE if ours does not start.
 *
 * @throws RelayError REDIS_MISSING without a program to run, DATA_DIR_IN_USE if another
 *         gateway has the directory, CONFIG_INVALID if the directory cannot be created
 */
export async function startManagedRedis ({ dataDir, env, maxMemoryBytes, keepRunning = false, report }: ManagedRedisOptions): Promise<ManagedRedis> {
  const program = await findServerProgram(env)
  const { path, warnings } = prepareDataDir(dataDir)
  const lock = await lockDataDir(path)
  const stopping = new AbortController()
  const place = {
    program,
    dataDir: path,
    socket: await socketOf(path),
    maxMemoryBytes: maxMemoryBytes ?? halfOfMemory(),
    onLoading (loading: ServerLoading) { report({ fact: 'redis.loading', ...loading }) }
  }
  const first = bringUp(place, stopping.signal)
  const keeper = keepAlive(place, first, { report, stopping })
  const stop = once(async () => {
    stopping.abort()
    await keeper.done
    const server = keeper.server()
    // If our server never came up, the files belong to another one, or help to find the cause.
    if (server === null || keepRunning) return lock.release()
    await endServer(server)
    tidy(place, lock)
  })
  return {
    target: { kind: 'socket', path: place.socket },
    up: keeper.up,
    pid: () => keeper.server()?.mark.pid ?? null,
    warnings: [...warnings, ...tooMuchMemory(maxMemoryBytes)],
    stop
  }
}

/** The socket of a living server, if there is one; else that of the server that is started now. */
async function socketOf (dataDir: string): Promise<string> {
  const record = readServerRecord(dataDir)
  const mayLive = record !== null && (record.mark === null || await isAlive(record.mark))
  return mayLive ? record.socket : socketPathFor(dataDir)
}

/** The same, and waits until the server is up. @throws the error of `up`, after everything is stopped */
export async function startedManagedRedis (options: ManagedRedisOptions): Promise<StartedRedis> {
  const redis = await startManagedRedis(options)
  try {
    const { adopted, pid } = await redis.up
    return { ...redis, adopted, pid: () => redis.pid() ?? pid }
  } catch (error) {
    await redis.stop()
    throw error
  }
}

async function bringUp (place: ServerPlace, signal: AbortSignal): Promise<LivingServer> {
  return await adoptServer(place, signal) ?? await spawnServer(place, signal)
}

/** The other half is for a rewrite of the append-only file, for fragmentation, and for the gateway. */
function halfOfMemory (): number {
  return Math.floor(machineMemory() / 2)
}

function tooMuchMemory (maxMemoryBytes: number | null): string[] {
  const there = machineMemory()
  if (maxMemoryBytes === null || maxMemoryBytes <= there) return []
  return [`redis.maxMemory is ${inMegabytes(maxMemoryBytes)} and there are ${inMegabytes(there)}: ` +
    'the system would end the server before it is full; write half of what there is, or leave it out']
}

function once (action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null
  return async () => { await (done ??= action()) }
}

function tidy ({ dataDir, socket }: ServerPlace, lock: DataDirLock): void {
  removeSocket(socket, dataDir)
  removeServerRecord(dataDir)
  lock.release()
}

interface Keeper {
  /** The present server, or the last one; `null` if none has come up yet. */
  server (): LivingServer | null
  up: ManagedRedis['up']
  /** Resolves after `stopping`, when no start is in progress any more. */
  done: Promise<void>
}

interface Watch { report: Report, stopping: AbortController }

function keepAlive (place: ServerPlace, first: Promise<LivingServer>, { report, stopping }: Watch): Keeper {
  let server: LivingServer | null = null
  const up = first.then(found => {
    server = found
    return { adopted: found.adopted, pid: found.mark.pid }
  })
  const stopped = new Promise<null>(resolve => {
    stopping.signal.addEventListener('abort', () => { resolve(null) }, { once: true })
  })

  async function keep (): Promise<void> {
    let backoffMs = 0
    await up.catch((error: unknown) => {
      if (!stopping.signal.aborted) report({ fact: 'redis.state', role: 'server', state: 'lost', detail: error instanceof Error ? error.message : String(error) })
    })
    while (!stopping.signal.aborted) {
      const since = performance.now()
      if (server !== null) {
        const how: string | null = await Promise.race([server.gone, stopped])
        if (how === null || stopping.signal.aborted) return
        report({ fact: 'redis.state', role: 'server', state: 'lost', detail: `the server with pid ${server.mark.pid} ${how}` })
      }
      if (performance.now() - since > STEADY_MS) backoffMs = 0
      const next = await restart(place, server === null ? FIRST_BACKOFF_MS : backoffMs, { report, stopping })
      if (next === null) return
      server = next
      backoffMs = longer(backoffMs)
      report({ fact: 'redis.state', role: 'server', state: 'restarted', detail: `pid ${server.mark.pid}` })
    }
  }

  return { server: () => server, up, done: keep() }
}

/** Tries until the server is up again; `null` after a stop. Reports each new cause of failure once. */
async function restart (place: ServerPlace, firstBackoffMs: number, { report, stopping }: Watch): Promise<LivingServer | null> {
  const { signal } = stopping
  let told = ''
  for (let backoffMs = firstBackoffMs; ; backoffMs = longer(backoffMs)) {
    await wait(backoffMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return null
    try {
      return await bringUp(place, signal)
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      if (detail !== told && !signal.aborted) report({ fact: 'redis.state', role: 'server', state: 'lost', detail })
      told = detail
    }
  }
}

function longer (backoffMs: number): number {
  return Math.min(Math.max(backoffMs * 2, FIRST_BACKOFF_MS), MAX_BACKOFF_MS)
}
