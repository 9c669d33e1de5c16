/**
 * Which process owns which directory of the spool.
 *
 *   <dir>/01J…/            one process, locked
 *   <dir>/01K…/            another one, on the same Redis
 *   <dir>/set-aside/       files that cannot be accepted, for an operator
 *   <dir>/reserve          space to begin with on a full disk
 *
 * Every process writes to a directory of its own, so that two gateways may be
 * given the same `dir`. What a dead owner left is moved into the own directory
 * and drained with the rest. A directory of another user is never touched: who
 * can make one could put callbacks into it. It is told of, as is whatever else
 * cannot be taken over, and keeps nothing else from being so.
 */
import { existsSync, lstatSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { makeDirectory, syncDirectory } from '../../disk/directory.js'
import { ownUid } from '../../disk/own-uid.js'
import { isRelayError } from '../../model/errors.js'
import { sortableId } from '../../model/sortable-id.js'
import { lockDataDir, type DataDirLock } from '../../redis/data-dir-lock.js'
import { TRY_FILE } from './disk.js'
import { fillReserve, useReserve } from './reserve.js'
import { SEGMENT_SUFFIX } from './segment.js'

/** The name of a directory that a process has made for itself. */
const OWNED = /^[0-9A-HJKMNP-TV-Z]{26}$/
/** Files of an owner that are not callbacks. */
const LOCK_FILE = 'gateway.lock'
/** A directory that is younger may be empty because its owner is about to lock it, milliseconds. */
const SETTLED_MS = 60_000
/** How often to start again if others take what was just made. */
const MAX_TRIES = 10

/** What an earlier owner left and this process cannot have. */
export interface LeftPlace {
  path: string
  error: unknown
  /** Callbacks lie there, or it cannot be seen that none do. */
  mayHold: boolean
}

export interface Ownership {
  /**
   * The directory of this process. Made by the first call, and made again if it was
   * removed.
   *
   * @throws errors of the file system
   */
  directory (): Promise<string>
  /**
   * Moves the files of dead owners into the own directory. Nothing may be written there meanwhile.
   *
   * @returns every file of the own directory, oldest first, and what could not be moved,
   *          which is tried again the next time
   * @throws  what the file system throws when there can be no own directory
   */
  takeOver (): Promise<{ files: string[], left: LeftPlace[] }>
  /** Lets go. An empty directory is removed, any other left to whoever comes next. Idempotent. */
  release (): void
}

interface OwnedDir { path: string, lock: DataDirLock }

/** @param root  `spool.dir`; created if it is missing */
export function createOwnership (root: string): Ownership {
  let owned: OwnedDir | null = null

  async function directory (): Promise<string> {
    if (owned !== null && existsSync(join(owned.path, LOCK_FILE))) return owned.path
    owned?.lock.release()
    owned = await claim(root)
    return owned.path
  }

  return {
    directory,
    async takeOver () {
      const own = await directory()
      fillReserve(root)
      const left: LeftPlace[] = []
      for (const path of await tryAt(root, left, async () => ownedIn(root)) ?? []) {
        if (path !== own) await tryAt(path, left, async () => { await inherit(path, own) })
      }
      return { files: await tryAt(own, left, async () => segmentsIn(own).sort()) ?? [], left }
    },
    release () {
      if (owned === null) return
      const { path, lock } = owned
      owned = null
      lock.release()
      removeIfEmpty(path)
    }
  }
}

/** Makes a directory for this process and locks it. */
async function claim (root: string): Promise<OwnedDir> {
  for (let tries = 1; ; tries++) {
    const path = join(root, sortableId(Date.now()))
    try {
      await makeDirectory(path)
      return { path, lock: await lockDataDir(path) }
    } catch (error) {
      if (useReserve(root, error)) continue
      if (tries === MAX_TRIES || !isTaken(error)) throw error
    }
  }
}

/** Another process took it for the directory of a dead owner. */
function isTaken (error: unknown): boolean {
  return isRelayError(error, 'DATA_DIR_IN_USE') || (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Does something about one place; a failure is noted, and keeps nobody from going on to the next. */
async function tryAt<T> (path: string, left: LeftPlace[], action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    left.push({ path, error, mayHold: mayHoldCallbacks(path) })
    return undefined
  }
}

function mayHoldCallbacks (path: string): boolean {
  try {
    return segmentsIn(path).length > 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

/** The directories that processes gave themselves, this one among them. @throws what the file system throws */
function ownedIn (root: string): string[] {
  return readdirSync(root).filter(name => OWNED.test(name)).map(name => join(root, name))
}

/** Moves the files of a dead owner; those of one that lives stay where they are. @throws what keeps it from that */
async function inherit (path: string, own: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory()) return
  if (stat.uid !== ownUid()) {
    if (mayHoldCallbacks(path)) throw new Error(`it belongs to uid ${stat.uid} and this process is uid ${ownUid()}: run the gateway as that user or give it the directory (chown -R)`)
    return
  }
  let lock: DataDirLock
  try {
    if (isBeingMade(path)) return
    lock = await lockDataDir(path)
  } catch (error) {
    if (isTaken(error)) return
    throw error
  }
  try {
    for (const file of segmentsIn(path)) renameSync(file, join(own, basename(file)))
    await syncDirectory(own)
    // Another process that wants this directory begins with another one.
    for (const name of readdirSync(path).filter(isLeftover)) rmSync(join(path, name), { force: true })
  } finally {
    lock.release()
    removeIfEmpty(path)
  }
}

/** The sign of life of a dead owner, and the file by which it tried the disk. */
function isLeftover (name: string): boolean {
  return name.startsWith(`${LOCK_FILE}.here-`) || name === TRY_FILE
}

function segmentsIn (directory: string): string[] {
  return readdirSync(directory).filter(name => name.endsWith(SEGMENT_SUFFIX)).map(name => join(directory, name))
}

/** Empty, new, and not locked yet. An owner that stopped in order leaves no lock either, but callbacks. */
function isBeingMade (path: string): boolean {
  if (existsSync(join(path, LOCK_FILE)) || segmentsIn(path).length > 0) return false
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined || Math.abs(Date.now() - stat.mtimeMs) < SETTLED_MS
}

function removeIfEmpty (path: string): void {
  try { rmdirSync(path) } catch { /* it is not empty, or it is gone */ }
}
