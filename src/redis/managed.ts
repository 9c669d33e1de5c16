/**
 * The gateway's own Redis, when the configuration names none.
 *
 * It keeps what it acknowledged through a crash of any process and, as the
 * disk keeps what was synced, through power loss. There is never more than one
 * server on a data directory: the directory has one owner, a server left by a
 * crash is adopted, and one that dies is started again, at once and then with
 * growing waits. It stops when told to, and not by Ctrl-C.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Report } from '../model/fact.js'
import { lockDataDir, type DataDirLock } from './data-dir-lock.js'
import { prepareDataDir, removeSocket, socketPathFor } from './data-dir.js'
import { inMegabytes, machineMemory } from './machine-memory.js'
import { adoptServer } from './server-adoption.js'
import { endServer, spawnServer, type LivingServer } from './server-process.js'
import { findServerProgram, type Env } from './server-program.js'
import { removeServerRecord } from './server-record.js'
import type { ServerPlace } from './server-settings.js'
import type { RedisTarget } from './target.js'

export interface ManagedRedis {
  readonly target: RedisTarget & { kind: 'socket' }
  /** Of the present server process; changes when it is restarted. */
  pid (): number
  /** The server was left by an earlier gateway. */
  readonly adopted: boolean
  /** Sentences for the operator. */
  readonly warnings: readonly string[]
  /** Ends the server, removes its socket and lets the data directory go. Idempotent; never rejects. */
  stop (): Promise<void>
}

export interface ManagedRedisOptions {
  /** Created when missing. */
  dataDir: string
  /** PATH and RELAY_REDIS_BIN are read. */
  env: Env
  /** The most that the server's data may take; `null` for half of the memory that there is. */
  maxMemoryBytes: number | null
  report: Report
}

/** A server that lived this long is started again at once, milliseconds. */
const STEADY_MS = 10_000
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 5_000

/**
 * Adopts the living server of the data directory or starts one, and keeps it alive.
 *
 * @throws RelayError REDIS_MISSING without a program to run, DATA_DIR_IN_USE when another
 *         gateway or server has the directory, REDIS_UNAVAILABLE when the server does not
 *         come up, CONFIG_INVALID when the directory cannot be created
 */
export async function startManagedRedis ({ dataDir, env, maxMemoryBytes, report }: ManagedRedisOptions): Promise<ManagedRedis> {
  const program = await findServerProgram(env)
  const { path, warnings } = prepareDataDir(dataDir)
  const lock = await lockDataDir(path)
  const stopping = new AbortController()
  try {
    const preferred = { program, dataDir: path, socket: socketPathFor(path), maxMemoryBytes: maxMemoryBytes ?? halfOfMemory() }
    const found = await adoptServer(preferred)
    const place = { ...preferred, socket: found?.socket ?? preferred.socket }
    const server = found?.server ?? await spawnServer(place, stopping.signal)
    const keeper = keepAlive(place, server, { report, stopping })
    return {
      target: { kind: 'socket', path: place.socket },
      pid: () => keeper.server().mark.pid,
      adopted: server.adopted,
      warnings: [...warnings, ...tooMuchMemory(maxMemoryBytes)],
      stop: once(async () => {
        stopping.abort()
        await keeper.done
        await endServer(keeper.server())
        tidy(place, lock)
      })
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** The other half is for a rewrite of the append-only file, for memory that lies in fragments, and for the gateway. */
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
  /** The present server, or the last one. */
  server (): LivingServer
  /** Resolves after `stopping`, when no restart is under way any more. */
  done: Promise<void>
}

interface Watch { report: Report, stopping: AbortController }

function keepAlive (place: ServerPlace, first: LivingServer, { report, stopping }: Watch): Keeper {
  let server = first
  const stopped = new Promise<null>(resolve => {
    stopping.signal.addEventListener('abort', () => { resolve(null) }, { once: true })
  })

  async function keep (): Promise<void> {
    let backoffMs = 0
    while (!stopping.signal.aborted) {
      const since = performance.now()
      const how = await Promise.race([server.gone, stopped])
      if (how === null || stopping.signal.aborted) return
      report({ fact: 'redis.state', role: 'server', state: 'lost', detail: `the server with pid ${server.mark.pid} ${how}` })
      if (performance.now() - since > STEADY_MS) backoffMs = 0
      const next = await restart(place, backoffMs, { report, stopping })
      if (next === null) return
      server = next
      backoffMs = longer(backoffMs)
      report({ fact: 'redis.state', role: 'server', state: 'restarted', detail: `pid ${server.mark.pid}` })
    }
  }

  return { server: () => server, done: keep() }
}

/** Tries until the server is up again; `null` when told to stop meanwhile. Each new reason for failing is told once. */
async function restart (place: ServerPlace, firstBackoffMs: number, { report, stopping }: Watch): Promise<LivingServer | null> {
  const { signal } = stopping
  let told = ''
  for (let backoffMs = firstBackoffMs; ; backoffMs = longer(backoffMs)) {
    await wait(backoffMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return null
    try {
      return await spawnServer(place, signal)
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
