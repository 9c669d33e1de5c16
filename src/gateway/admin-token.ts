/**
 * The token of an admin listener that was given none: made once, kept in the
 * data directory where only its owner can read it, found there by the command
 * line on the same machine.
 */
import { randomBytes } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory } from '../disk/directory.js'
import { createFile } from '../disk/whole-file.js'
import { RelayError } from '../model/errors.js'

const TOKEN = /^[\w-]{43}$/

/** Where the token of a gateway with this data directory is. */
export function adminTokenFile (dataDir: string): string {
  return join(dataDir, 'admin-token')
}

/**
 * Reads the token, or makes one. Of two gateways that start at once, one makes it.
 *
 * @returns 43 characters, base64url of 32 random bytes
 * @throws  RelayError CONFIG_INVALID when the file holds something else; the
 *          error of the file system when the directory cannot be written
 */
export async function readOrMakeAdminToken (dataDir: string): Promise<string> {
  const file = adminTokenFile(dataDir)
  await makeDirectory(dataDir)
  await createFile(file, randomBytes(32).toString('base64url') + '\n')
  await chmod(file, 0o600)
  const token = (await readFile(file, 'utf8')).trim()
  if (TOKEN.test(token)) return token
  throw new RelayError('CONFIG_INVALID', `${file} does not hold a token of fotor-relay: remove it and start again, or configure admin.tokens`, { file })
}
