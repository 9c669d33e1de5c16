/**
 * The data directory of the managed Redis: private, and with a place for a socket
 * whose path the system can store.
 */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ownUid } from '../disk/own-uid.js'
import { RelayError } from '../model/errors.js'

/** Some systems silently cut longer paths (104 bytes on macOS, 108 on Linux). */
const MAX_SOCKET_PATH_BYTES = 100

/** Any permission of other users. */
const OTHERS = 0o077

/** Set on a directory: many users share it, and each may remove only their own files. */
const SHARED_BY_MANY = 0o1000

/** The files that the gateway and its server write into the directory, including drafts and leftovers. */
const OURS = /^(gateway\.lock|admin-token|spool$|redis-server\.json|redis\.log|redis\.sock|appendonlydir|dump\.rdb|temp-)/

/**
 * Creates the directory for its owner only. An existing one that is open to other
 * users is closed to them if that is safe: it belongs to this user, and is empty
 * or has only files of the gateway.
 *
 * @returns its real path, and warnings for the operator
 * @throws RelayError CONFIG_INVALID if it cannot be created, is not a directory, or is
 *         open to others and not known to be the gateway's
 */
export function prepareDataDir (dataDir: string): { path: string, warnings: string[] } {
  let path: string
  let isNew: boolean
  try {
    isNew = mkdirSync(dataDir, { recursive: true, mode: 0o700 }) !== undefined
    path = realpathSync(dataDir)
  } catch (error) {
    throw new RelayError('CONFIG_INVALID',
      `dataDir ${dataDir} cannot be created (${(error as Error).message}): give a directory this user may write to`,
      { dataDir, cause: error })
  }
  const mode = statSync(path).mode & 0o777
  if ((mode & OTHERS) === 0) return { path, warnings: [] }
  if (!isNew) mustBeOurs(path)
  const was = `dataDir ${path} was open to other users (mode ${mode.toString(8).padStart(4, '0')})`
  try {
    chmodSync(path, 0o700)
    return { path, warnings: [`${was} and is now 0700`] }
  } catch {
    return { path, warnings: [`${was} and cannot be changed by this user: make it 0700`] }
  }
}

function mustBeOurs (path: string): void {
  const problem = strangeIn(path)
  if (problem === null) return
  throw new RelayError('CONFIG_INVALID',
    `dataDir ${path} is open to other users and ${problem}, so it is not closed to them: ` +
    `choose another dataDir, such as ${join(path, 'fotor-relay')}, or, when it is the gateway's alone, chmod 700 it yourself`,
    { dataDir: path })
}

/** Why other users may need the directory; `null` if they do not. */
function strangeIn (path: string): string | null {
  const { mode, uid } = statSync(path)
  if (uid !== ownUid()) return 'belongs to another user'
  if ((mode & SHARED_BY_MANY) !== 0) return 'is shared by many (its sticky bit is set)'
  return readdirSync(path).every(name => OURS.test(name)) ? null : 'holds files that are not the gateway\'s'
}

/** Distinguishes a directory from a copy of it, whose files name processes that work elsewhere. */
export function directoryMark (path: string): string {
  return String(statSync(path, { bigint: true }).ino)
}

/**
 * The socket of the server: in the data directory, or, if that path is too long,
 * in a private temporary directory whose name follows from it.
 *
 * @param dataDir  a real path
 * @throws RelayError LISTEN_FAILED if the temporary directory is not ours alone
 */
export function socketPathFor (dataDir: string): string {
  const path = join(dataDir, 'redis.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path
  const uid = ownUid()
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
  const base = `fotor-relay-${uid}-${name}`
  const short = join(Buffer.byteLength(tmpdir()) > 40 ? '/tmp' : tmpdir(), base)
  mkdirSync(short, { recursive: true, mode: 0o700 })
  const stat = lstatSync(short)
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & OTHERS) !== 0) {
    throw new RelayError('LISTEN_FAILED',
      `${short} is needed for a socket but is not a private directory of this user: remove it, or choose a shorter dataDir`)
  }
  return join(short, 'redis.sock')
}

/** Removes a socket, and the private directory that was made for it. */
export function removeSocket (socket: string, dataDir: string): void {
  rmSync(socket, { force: true })
  if (dirname(socket) === dataDir) return
  try { rmdirSync(dirname(socket)) } catch { /* already gone, or not empty */ }
}
