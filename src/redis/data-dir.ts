/**
 * The directory where the gateway keeps its own Redis: private, and with a
 * place for a socket whose path the system can hold.
 */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { RelayError } from '../model/errors.js'

/** Longer paths are silently cut by some systems (104 bytes on macOS, 108 on Linux). */
const MAX_SOCKET_PATH_BYTES = 100

/** Anything that others may do. */
const OTHERS = 0o077

/**
 * Creates the directory for its owner only; one that others may enter is closed to them.
 *
 * @returns its real path, and sentences for the operator
 * @throws RelayError CONFIG_INVALID when it cannot be created or is no directory
 */
export function prepareDataDir (dataDir: string): { path: string, warnings: string[] } {
  let path: string
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    path = realpathSync(dataDir)
  } catch (error) {
    throw new RelayError('CONFIG_INVALID',
      `dataDir ${dataDir} cannot be created (${(error as Error).message}): give a directory this user may write to`,
      { dataDir }, { cause: error })
  }
  const mode = statSync(path).mode & 0o777
  if ((mode & OTHERS) === 0) return { path, warnings: [] }
  const was = `dataDir ${path} was open to other users (mode ${mode.toString(8).padStart(4, '0')})`
  try {
    chmodSync(path, 0o700)
    return { path, warnings: [`${was} and is now 0700`] }
  } catch {
    return { path, warnings: [`${was} and cannot be changed by this user: make it 0700`] }
  }
}

/**
 * Where the server listens: in the data directory, or, when that path is too
 * long, in a private directory for temporary files whose name follows from it.
 *
 * @param dataDir  a real path
 * @throws RelayError LISTEN_FAILED when that other directory is not ours alone
 */
export function socketPathFor (dataDir: string): string {
  const path = join(dataDir, 'redis.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path
  const { uid } = userInfo()
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

/** Removes a socket, and the private directory that was made for it alone. */
export function removeSocket (socket: string, dataDir: string): void {
  rmSync(socket, { force: true })
  if (dirname(socket) === dataDir) return
  try { rmdirSync(dirname(socket)) } catch { /* already gone, or somebody put something there */ }
}
