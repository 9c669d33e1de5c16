/**
 * The token of an admin listener without a configured one: created once, stored in
 * the data directory where only its owner can read it. The command line on the
 * same machine finds it there.
 */
import { randomBytes } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory } from '../disk/directory.js'
import { createFile } from '../disk/whole-file.js'
import { RelayError } from '../model/errors.js'

const TOKEN = /^[\w-]{43}$/

/** The token's file in this data directory. */
export function adminTokenFile (dataDir: string): string {
  return join(dataDir, 'admin-token')
}

/**
 * Reads the token, or creates one. If two gateways start at once, one creates it.
 *
 * @returns 43 characters, base64url of 32 random bytes
 * @throws  RelayError CONFIG_INVALID if the file holds something else; the
 *          error of the file system if the directory cannot be written
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
