/**
 * Which process owns which directory of the spool.
 *
 *   <dir>/01J…/            one process, locked
 *   <dir>/01K…/            another one, on the same Redis
 *   <dir>/set-aside/       files that cannot be accepted, for an operator
 *   <dir>/reserve          space to begin with on a full disk
 *
 * Every process writes to its own directory, so that two gateways can share a
 * `dir`. The files of a dead owner are moved into the own directory and drained
 * with the rest. The directory of another user is never touched: that user could
 * put callbacks into it.
 */
import { existsSync, lstatSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { makeDirectory, syncDirectory } from '../../disk/directory.js'
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
   * @returns every file of the own directory, oldest first, and the first error that
   *          prevented a move; the next call tries again
   * @throws  errors of the file system if there can be no own directory
   */
  takeOver (): Promise<{ files: string[], error: unknown }>
  /** Gives the directory up. An empty one is removed, any other is left to the next owner. Idempotent. */
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
      let first: unknown = null
      for (const name of readdirSync(root)) {
        const path = join(root, name)
        if (path === own || !OWNED.test(name) || !isOurs(path)) continue
        await inherit(path, own).catch((error: unknown) => { first ??= error })
      }
      return { files: segmentsIn(own).sort(), error: first }
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

function isOurs (path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat !== undefined && stat.isDirectory() && stat.uid === userInfo().uid
}

/** Moves the files of a dead owner; files of a living owner stay where they are. */
async function inherit (path: string, own: string): Promise<void> {
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
