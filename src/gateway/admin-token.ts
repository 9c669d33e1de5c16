/**
 * The token of an admin listener that was given none: made once, kept in the
 * data directory where only its owner can read it, found there by the command
 * line on the same machine.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the token of a gateway with this data directory is. */
export function adminTokenFile (dataDir: string): string {
  return join(dataDir, 'admin-token')
}

/**
 * Reads the token, or makes one.
 *
 * @returns 43 characters, base64url of 32 random bytes
 * @throws  the error of the file system when the directory cannot be written
 */
export function readOrMakeAdminToken (dataDir: string): string {
  const file = adminTokenFile(dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  try {
    // `wx` lets one of two gateways that start at once make it; the other reads.
    writeFileSync(file, randomBytes(32).toString('base64url') + '\n', { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  chmodSync(file, 0o600)
  return readFileSync(file, 'utf8').trim()
}
