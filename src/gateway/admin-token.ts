/**
 * The token of an admin listener that was given none: made once, kept in the
 * data directory where only its owner can read it, found there by the command
 * line on the same machine.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { RelayError } from '../model/errors.js'

const TOKEN = /^[\w-]{43}$/

/** Where the token of a gateway with this data directory is. */
export function adminTokenFile (dataDir: string): string {
  return join(dataDir, 'admin-token')
}

/**
 * Reads the token, or makes one.
 *
 * @returns 43 characters, base64url of 32 random bytes
 * @throws  RelayError CONFIG_INVALID when the file holds something else; the
 *          error of the file system when the directory cannot be written
 */
export function readOrMakeAdminToken (dataDir: string): string {
  const file = adminTokenFile(dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  makeWhole(file, randomBytes(32).toString('base64url') + '\n')
  chmodSync(file, 0o600)
  const token = readFileSync(file, 'utf8').trim()
  if (TOKEN.test(token)) return token
  throw new RelayError('CONFIG_INVALID', `${file} does not hold a token of fotor-relay: remove it and start again, or configure admin.tokens`, { file })
}

/** Makes a file appear with all of its content, unless it is there. One of two gateways that start at once makes it. */
function makeWhole (file: string, content: string): void {
  const draft = `${file}.${randomUUID()}`
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, content)
    fsyncSync(handle)
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(handle)
    rmSync(draft, { force: true })
  }
}
