/**
 * Finds the program of the managed Redis.
 */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { RelayError } from '../model/errors.js'
import { isAtLeast, OLDEST_VERSION } from './info.js'

/** The environment, or a replacement in tests. */
export type Env = Readonly<Record<string, string | undefined>>

export interface ServerProgram {
  /** Path of the executable. */
  path: string
  /** The version that it reports: `7.0.15`. */
  version: string
}

const NAMES = ['redis-server', 'valkey-server']
const HINT = process.platform === 'darwin' ? 'brew install redis' : 'apt-get install redis-server'
const VERSION_TIMEOUT_MS = 5_000

/**
 * Finds `redis-server` or `valkey-server` on PATH, or the program that
 * RELAY_REDIS_BIN names, and asks for its version.
 *
 * @throws RelayError REDIS_MISSING, one line with the command that installs it
 */
export async function findServerProgram (env: Env): Promise<ServerProgram> {
  const chosen = env['RELAY_REDIS_BIN'] ?? ''
  const troubles: string[] = []
  for (const path of chosen === '' ? await onPath(env, NAMES) : await candidates(env, chosen)) {
    const version = await versionOf(path)
    if (version === null) troubles.push(`${path} does not answer --version like a Redis or Valkey server`)
    else if (isAtLeast(version, OLDEST_VERSION)) return { path, version }
    else troubles.push(`${path} has version ${version} and 6.2 or newer is needed`)
  }
  if (chosen !== '') {
    const trouble = troubles[0] ?? `${chosen} is not an executable file`
    throw missing(`RELAY_REDIS_BIN: ${trouble}; correct it, or unset it and install Redis: ${HINT}`)
  }
  const trouble = troubles[0] ?? 'no redis-server or valkey-server on PATH'
  throw missing(`${trouble}; install it: ${HINT} (or give the address of a running Redis as redis.url)`)
}

function missing (message: string): RelayError {
  return new RelayError('REDIS_MISSING', message)
}

/** The possible meanings of RELAY_REDIS_BIN: a path, or a name to look up. */
async function candidates (env: Env, chosen: string): Promise<string[]> {
  if (!chosen.includes('/')) return await onPath(env, [chosen])
  return await isExecutable(chosen) ? [chosen] : []
}

async function onPath (env: Env, names: readonly string[]): Promise<string[]> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '')
  const found: string[] = []
  for (const name of names) {
    for (const folder of folders) {
      if (await isExecutable(join(folder, name))) found.push(join(folder, name))
    }
  }
  return found
}

async function isExecutable (path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(() => true, () => false)
}

/** `Redis server v=7.0.15 sha=…` or `Valkey server v=8.1.0 …`; `null` for anything else. */
async function versionOf (path: string): Promise<string | null> {
  const stdout = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS })
    .then(answer => answer.stdout, () => '')
  return /^\S+ server v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null
}
