/**
 * One owner per data directory.
 *
 * `gateway.lock` names the owner. If the owner died without releasing the lock,
 * exactly one process may take the directory over: the records of ownership form
 * a chain, in which each successor has a file named after its predecessor, and
 * the file system creates such a file only once.
 *
 *   gateway.lock (A, dead) ── gateway.lock.after-<A> (B, dead) ── …-<B> (C) owns
 *
 * The new owner then writes its record to `gateway.lock`, so that the chain is
 * short again. A process with an old view of the chain finds that its own record
 * cannot be reached from `gateway.lock`, and starts again. No step needs another
 * one to have finished, so a crash at any point leaves a valid chain.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withDraft, type Draft } from '../disk/whole-file.js'
import { RelayError } from '../model/errors.js'
import { directoryMark } from './data-dir.js'
import { isPresent, processNamespace, showPresence } from './presence.js'
import { isAlive, markOf, type ProcessMark } from './process-mark.js'

export interface DataDirLock {
  /** Releases the lock. Idempotent. */
  release (): void
}

interface Owner extends ProcessMark {
  /** Unique. */
  id: string
  /** The scope in which the pid is valid. */
  namespace: string
  /** The directory that it owns; empty if an older release wrote the record. */
  directory: string
}

/** How often to start again if other processes act at the same time. */
const MAX_TRIES = 100

/** Leftovers of crashed contenders are removed after this time, milliseconds. */
const LEFTOVER_AGE_MS = 60_000

/**
 * Becomes the owner of a data directory.
 *
 * @param dataDir  exists
 * @throws RelayError DATA_DIR_IN_USE naming the owner's pid, if the owner lives
 */
export async function lockDataDir (dataDir: string): Promise<DataDirLock> {
  const mark = await markOf(process.pid) ?? { pid: process.pid, startedAt: '' }
  const self: Owner = { id: randomUUID(), namespace: processNamespace(), directory: directoryMark(dataDir), ...mark }
  const withdraw = await showPresence(dataDir, self.id)
  try {
    const file = await become(self, dataDir)
    return {
      release () {
        if (readOwner(file)?.id === self.id) rmSync(file, { force: true })
        withdraw()
      }
    }
  } catch (error) {
    withdraw()
    throw error
  }
}

/** Records `self` as the owner; returns the file of the record. */
async function become (self: Owner, dataDir: string): Promise<string> {
  const file = join(dataDir, 'gateway.lock')
  return await withDraft(file, { content: JSON.stringify(self) }, async draft => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const owner = readOwner(file)
      if (owner !== null && await lives(owner, self, dataDir)) throw inUse(dataDir, owner)
      if (await succeed(file, owner, { self, draft })) {
        removeLeftovers(dataDir, self)
        return file
      }
    }
    throw new RelayError('DATA_DIR_IN_USE', `${dataDir} is being locked by other gateways at this moment: try again`)
  })
}

async function lives (owner: Owner, self: Owner, dataDir: string): Promise<boolean> {
  if (owner.namespace !== self.namespace) return await isPresent(dataDir, owner.id)
  const isHere = owner.directory === '' || owner.directory === self.directory
  return isHere && await isAlive(owner)
}

/** A process that wants the directory, and its record. */
interface Contender { self: Owner, draft: Draft }

/** Takes the place after `owner` (`null`: the first place), unless another process did. */
async function succeed (file: string, owner: Owner | null, { self, draft }: Contender): Promise<boolean> {
  const place = owner === null ? file : successorOf(file, owner)
  if (!await draft.claim(place)) return false
  const won = readOwner(file)?.id === self.id
  if (won && place !== file) await draft.replace(file)
  if (place !== file) rmSync(place, { force: true })
  return won
}

function successorOf (file: string, owner: Owner): string {
  return `${file}.after-${owner.id}`
}

/** The last record of the chain; `null` if there is none. */
function readOwner (file: string): Owner | null {
  let owner: Owner | null = null
  const seen = new Set<string>()
  for (let next = readRecord(file); next !== null && !seen.has(next.id); next = readRecord(successorOf(file, next))) {
    owner = next
    seen.add(next.id)
  }
  return owner
}

/** A record that cannot be read counts as that of a dead owner, under a name of its own. */
function readRecord (path: string): Owner | null {
  let text: string
  try { text = readFileSync(path, 'utf8') } catch { return null }
  try {
    const { id, namespace, pid, startedAt, directory = '' } = JSON.parse(text) as Record<keyof Owner, unknown>
    if (typeof id === 'string' && /^[\w-]{1,64}$/.test(id) && typeof pid === 'number') {
      return { id, namespace: String(namespace), pid, startedAt: String(startedAt), directory: String(directory) }
    }
  } catch { /* falls through: not one of ours, or cut short by a power loss */ }
  return { id: createHash('sha256').update(text).digest('hex'), namespace: '', pid: 0, startedAt: '', directory: '' }
}

function removeLeftovers (dataDir: string, self: Owner): void {
  for (const name of readdirSync(dataDir)) {
    if (!/^gateway\.lock\.(after|here)-/.test(name) || name.endsWith(self.id)) continue
    const path = join(dataDir, name)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat !== undefined && Date.now() - stat.mtimeMs > LEFTOVER_AGE_MS) removeIfAllowed(path)
  }
}

/** Another user's is in nobody's way. */
function removeIfAllowed (path: string): void {
  try { rmSync(path, { force: true }) } catch { /* whose it is may remove it */ }
}

function inUse (dataDir: string, { pid }: Owner): RelayError {
  return new RelayError('DATA_DIR_IN_USE',
    `${dataDir} is in use by the gateway with pid ${pid}: stop that one, or give this one a dataDir of its own`,
    { dataDir, pid })
}
