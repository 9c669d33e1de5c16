/**
 * Starts the managed Redis as a process, waits until it can be used, and ends it.
 *
 * The process has its own process group, so that Ctrl-C reaches the gateway only.
 * It outlives a gateway that crashes: the next gateway adopts it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { RelayError } from '../model/errors.js'
import { isAlive, markOf, type ProcessMark } from './process-mark.js'
import { within } from '../time/within.js'
import { askServer } from './server-probe.js'
import { writeServerRecord } from './server-record.js'
import { logFileOf, serverArguments, type ServerLoading, type ServerPlace } from './server-settings.js'
import { cutTornEnd, TORN } from './torn-end.js'

/** A server that answers. */
export interface LivingServer {
  mark: ProcessMark
  /** An earlier gateway started it. */
  adopted: boolean
  /** Resolves when the process has ended, with the way it ended: `ended with SIGKILL`. Never rejects. */
  gone: Promise<string>
}

/** Interval between two probes of a starting server, milliseconds. */
const ASK_EVERY_MS = 5

/** Interval of reports while a server loads its data, milliseconds. */
const TELL_EVERY_MS = 5_000

/** How long a starting server may be silent, milliseconds; loading its data does not count. */
export const SILENCE_MS = 30_000

/** A server that has not ended this long after SIGTERM is killed, milliseconds. */
const STOP_TIMEOUT_MS = 5_000

/** A larger log is moved aside at a start. */
const MAX_LOG_BYTES = 1024 * 1024

/** The part of our environment that the server gets: no secrets. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH']

/**
 * Starts a server and waits until it has loaded its data; cuts off a torn end of the data first.
 *
 * @param signal  aborted: the server is ended again and the promise rejects
 * @throws RelayError REDIS_UNAVAILABLE with the last line of its log, if it does not start
 */
export async function spawnServer (place: ServerPlace, signal: AbortSignal): Promise<LivingServer> {
  const { program, dataDir } = place
  try {
    return await spawnOnce(place, { signal, cutsItself: false })
  } catch (error) {
    if (signal.aborted || !TORN.test(lastLineOf(logFileOf(dataDir)))) throw error
    const isWhole = await cutTornEnd({ program: program.path, dataDir, signal })
    return await spawnOnce(place, { signal, cutsItself: !isWhole })
  }
}

interface Spawning { signal: AbortSignal, cutsItself: boolean }

async function spawnOnce (place: ServerPlace, { signal, cutsItself }: Spawning): Promise<LivingServer> {
  const { program, dataDir, socket } = place
  putLogAside(logFileOf(dataDir))
  // If we crash before its pid is written, the next gateway knows that a server may exist.
  await writeServerRecord(dataDir, { mark: null, socket })
  const child = spawn(program.path, serverArguments(place, cutsItself), {
    cwd: dataDir, detached: true, stdio: 'ignore', env: environment()
  })
  const gone = endOf(child)
  child.unref()
  const mark = child.pid === undefined ? null : await markOf(child.pid)
  if (mark === null) throw failed(place, await gone)
  await writeServerRecord(dataDir, { mark, socket })
  const server = { mark, adopted: false, gone }
  try {
    await untilUsable(server, place, signal)
  } catch (error) {
    await endServer(server)
    throw error
  }
  return server
}

function environment (): Record<string, string> {
  return Object.fromEntries(PASSED_ON.flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }))
}

async function endOf (child: ChildProcess): Promise<string> {
  return await new Promise(resolve => {
    child.once('error', error => { resolve(`could not be started (${error.message})`) })
    child.once('exit', (code, signal) => { resolve(signal === null ? `ended with code ${code}` : `ended with ${signal}`) })
  })
}

/**
 * Waits until a server, started or found, answers and has loaded its data.
 *
 * @throws RelayError REDIS_UNAVAILABLE if it ends, or is silent for too long
 */
export async function untilUsable (
  server: LivingServer, place: ServerPlace, signal: AbortSignal
): Promise<void> {
  let how: string | null = null
  server.gone.then(end => { how = end }, () => {})
  let silentSince = performance.now()
  const tell = everyFewSeconds(place.onLoading ?? (() => {}))
  while (performance.now() - silentSince < SILENCE_MS && !signal.aborted) {
    const answer = await askServer(place.socket)
    if (how !== null) throw failed(place, how)
    if (answer.kind === 'server') {
      if (answer.pid !== server.mark.pid) throw failed(place, `is answered for by another process (pid ${answer.pid})`)
      if (answer.loading === null) return
      silentSince = performance.now()
      tell(answer.loading)
    }
    await wait(ASK_EVERY_MS)
  }
  throw failed(place, signal.aborted ? 'was told to stop' : `gave no answer for ${SILENCE_MS / 1_000} s`)
}

/** Calls it at most every few seconds, and not at once: most servers start quickly. */
function everyFewSeconds (onLoading: (loading: ServerLoading) => void): (loading: ServerLoading) => void {
  let toldAt = performance.now()
  return loading => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return
    toldAt = performance.now()
    onLoading(loading)
  }
}

function failed ({ program, dataDir }: ServerPlace, how: string): RelayError {
  const log = logFileOf(dataDir)
  const lastLine = lastLineOf(log)
  return new RelayError('REDIS_UNAVAILABLE',
    `${program.path} ${how} while starting${lastLine === '' ? '' : `: "${lastLine}"`}; see ${log}`)
}

function lastLineOf (log: string): string {
  try { return readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)!.slice(0, 300) } catch { return '' }
}

function putLogAside (log: string): void {
  const stat = statSync(log, { throwIfNoEntry: false })
  if (stat !== undefined && stat.size > MAX_LOG_BYTES) renameSync(log, `${log}.1`)
}

/** Ends a server, first with SIGTERM, then with SIGKILL; resolves when its process is gone. */
export async function endServer ({ mark, gone }: LivingServer): Promise<void> {
  if (await isAlive(mark)) sendSignal(mark.pid, 'SIGTERM')
  if (await within(STOP_TIMEOUT_MS, gone.then(() => true), () => false)) return
  if (await isAlive(mark)) sendSignal(mark.pid, 'SIGKILL')
  await gone
}

function sendSignal (pid: number, signal: NodeJS.Signals): void {
  try { process.kill(pid, signal) } catch { /* it has already ended */ }
}
