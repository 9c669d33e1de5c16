/**
 * Finds the server that a crashed gateway left behind.
 *
 * Two servers on one directory would write and destroy the same file. So a living
 * server is adopted, an ending one is waited for, and one that answers but is not
 * known to be ours is left alone, and the start is refused.
 */
import { readlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { RelayError } from '../model/errors.js'
import { isAlive, markOf, type ProcessMark } from './process-mark.js'
import { askServer, refreshSettings, type ServerProbeResult } from './server-probe.js'
import { readServerRecord, writeServerRecord, type ServerRecord } from './server-record.js'
import { SILENCE_MS, untilUsable, type LivingServer } from './server-process.js'
import type { ServerPlace } from './server-settings.js'

/** How long a server may take from its start until it listens, milliseconds. */
const BIRTH_MS = 2_000
/** Interval between two probes of a server or its process, milliseconds. */
const PROBE_EVERY_MS = 20

/**
 * Looks for a living server of this directory; the caller owns the directory.
 *
 * @param signal  aborted: stops waiting, and returns the server as it is
 * @returns `null`: none lives, one may be started
 * @throws RelayError DATA_DIR_IN_USE if a server answers that is not known to be ours;
 *         REDIS_UNAVAILABLE if one lives and does not answer
 */
export async function adoptServer (place: ServerPlace, signal: AbortSignal): Promise<LivingServer | null> {
  const record = readServerRecord(place.dataDir)
  const { socket } = place
  const answer = await firstAnswer(record, socket, signal)
  if (answer === null) return null
  const mark = answer.dir === place.dataDir ? await markOf(answer.pid) : null
  if (mark === null || !await isOurs(mark, record, place.dataDir)) {
    // A server that has ended since it answered has no mark any more, and one in another container has none here.
    if ((await askServer(socket)).kind === 'nobody') return await adoptServer(place, signal)
    throw foreign(answer.pid, socket, place.dataDir)
  }
  await writeServerRecord(place.dataDir, { mark, socket })
  const server: LivingServer = { mark, adopted: true, gone: goneBy(mark, socket) }
  try {
    await untilUsable(server, place, signal)
    await refreshSettings(place)
  } catch (error) {
    // A stop ends the server, whether it has loaded its data or not.
    if (signal.aborted) return server
    if (await isAlive(mark)) throw error
    return null
  }
  return server
}

/** Asks until a server answers, or none can exist (`null`). */
async function firstAnswer (record: ServerRecord | null, socket: string, signal: AbortSignal): Promise<ServerProbeResult & { kind: 'server' } | null> {
  const startedAt = performance.now()
  for (;;) {
    const answer = await askServer(socket)
    if (answer.kind === 'server') return answer
    const waitedMs = performance.now() - startedAt
    const mark = record?.mark ?? null
    const lives = mark !== null && await isAlive(mark)
    const newborn = record?.mark === null && waitedMs < BIRTH_MS
    if (answer.kind === 'nobody' && !lives && !newborn) return null
    if (waitedMs > SILENCE_MS || signal.aborted) throw silent(mark, socket)
    await wait(PROBE_EVERY_MS)
  }
}

/**
 * Our server is the process on record, or, if its pid was never written, one that
 * works in the directory. The pid of a server in another container can belong to
 * another process here.
 */
async function isOurs (mark: ProcessMark, record: ServerRecord | null, dataDir: string): Promise<boolean> {
  if (record === null) return false
  if (record.mark !== null) return record.mark.pid === mark.pid && record.mark.startedAt === mark.startedAt
  if (process.platform !== 'linux') return true
  return await readlink(`/proc/${mark.pid}/cwd`).catch(() => '') === dataDir
}

function foreign (pid: number, socket: string, dataDir: string): RelayError {
  return new RelayError('DATA_DIR_IN_USE',
    `a Redis server with pid ${pid} that is not known to this gateway answers on ${socket}, perhaps from another container: ` +
    `stop it (redis-cli -s ${socket} shutdown), or give this gateway a dataDir of its own`, { dataDir, pid })
}

function silent (mark: ProcessMark | null, socket: string): RelayError {
  const who = mark === null ? 'a process' : `the Redis server with pid ${mark.pid}`
  return new RelayError('REDIS_UNAVAILABLE',
    `${who} holds ${socket} and gives no answer: end it${mark === null ? '' : ` (kill -9 ${mark.pid} loses nothing)`}, then start again`)
}

/** Watches a process that is not our child, by a connection that ends with it. */
async function goneBy (mark: ProcessMark, socket: string): Promise<string> {
  for (;;) {
    await closed(socket)
    if (!await isAlive(mark)) return 'ended'
    await wait(PROBE_EVERY_MS, undefined, { ref: false })
  }
}

async function closed (socket: string): Promise<void> {
  await new Promise<void>(resolve => {
    const line = connect(socket)
    line.unref()
    line.resume()
    line.on('error', () => {})
    line.on('close', () => { resolve() })
  })
}
