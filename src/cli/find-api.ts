/**
 * Where the admin API is and what opens it.
 *
 *   URL    --url, --config, RELAY_ADMIN_URL, the usual configuration file
 *   token  --token-file, RELAY_ADMIN_TOKEN, the configuration file, <dataDir>/admin-token
 *
 * A token that was found on this machine is only ever sent to this machine,
 * unless `--config` asked for it. No token is ever shown: its source is.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatAddress, type Address, type Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import { chooseConfigFile, shortPath } from './config-file.js'
import type { ProgramDeps } from './deps.js'
import { badUsage, CommandFailure } from './failure.js'

/** As the command line gives them. */
export interface ApiFlags {
  url?: string
  tokenFile?: string
  config?: string
}

export interface ApiPlace {
  /** Without a slash at its end. */
  url: string
  token: { value: string, source: string } | null
}

type FindDeps = Pick<ProgramDeps, 'env' | 'packageDir'>

/** @throws CommandFailure when no URL can be found, or a token that was named cannot be read */
export async function findApi (flags: ApiFlags, deps: FindDeps): Promise<ApiPlace> {
  const named = flags.url ?? (flags.config === undefined ? deps.env['RELAY_ADMIN_URL'] ?? '' : '')
  const namedToken = tokenNamed(flags, deps.env)
  if (named === '') {
    const { config, file } = await configOf(flags, deps)
    return { url: `http://${formatAddress(reachable(config.admin.listen))}`, token: namedToken ?? tokenOf(config, file) }
  }
  const url = readUrl(named)
  if (namedToken !== null) return { url, token: namedToken }
  if (flags.config === undefined && !isThisMachine(url)) return { url, token: null }
  return { url, token: await localToken(flags, deps) }
}

/** An address to listen on, as one to connect to: "everywhere" includes here. */
export function reachable ({ host, port }: Address): Address {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}

/** Whether the token of the configuration may be sent there without being asked to. */
function isThisMachine (url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}

function readUrl (written: string): string {
  if (!URL.canParse(written) || !/^https?:\/\//i.test(written)) {
    throw badUsage('the URL of the admin API is not one that starts with http:// or https://', 'write --url http://127.0.0.1:8081')
  }
  return written.replace(/\/+$/, '')
}

function tokenNamed ({ tokenFile }: ApiFlags, env: NodeJS.ProcessEnv): ApiPlace['token'] {
  if (tokenFile !== undefined) return tokenIn(tokenFile, `--token-file ${tokenFile}`)
  const value = env['RELAY_ADMIN_TOKEN'] ?? ''
  return value === '' ? null : checked(value, 'RELAY_ADMIN_TOKEN')
}

async function configOf (flags: ApiFlags, deps: FindDeps): Promise<{ config: Config, file: string }> {
  const file = chooseConfigFile(flags.config, deps)
  const loaded = await loadConfig({ file, env: deps.env })
  if ('config' in loaded) return { config: loaded.config, file }
  throw badUsage(`${shortPath(file)} has faults, so it does not tell where the gateway is`,
    `see them with: fotor-relay check ${shortPath(file)}`,
    'or say it yourself: --url http://127.0.0.1:8081 --token-file FILE')
}

/** With `--url`, the file is a convenience: one with faults, or none, gives no token. */
async function localToken (flags: ApiFlags, deps: FindDeps): Promise<ApiPlace['token']> {
  if (flags.config === undefined) {
    const file = chooseConfigFile(undefined, deps)
    const loaded = await loadConfig({ file, env: deps.env })
    return 'config' in loaded ? tokenOf(loaded.config, file) : null
  }
  const { config, file } = await configOf(flags, deps)
  return tokenOf(config, file)
}

/** The first operator's token; without any, the one that the gateway made for itself. */
function tokenOf ({ admin, dataDir }: Config, file: string): ApiPlace['token'] {
  const first = admin.tokens.find(({ role }) => role === 'operator')
  if (first !== undefined) return checked(first.value, `the token ${first.name} in ${shortPath(file)}`)
  const made = join(dataDir, 'admin-token')
  try {
    return tokenIn(made, shortPath(made))
  } catch (error) {
    if (error instanceof CommandFailure && hasCode(error.cause, 'ENOENT')) return null
    throw error
  }
}

function tokenIn (file: string, source: string): ApiPlace['token'] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandFailure(`the token file ${file} cannot be read (${codeOf(error)})`, {
      exitCode: 2, nextSteps: [stepFor(error)], cause: error
    })
  }
  return checked(text.trim(), source)
}

function stepFor (error: unknown): string {
  return hasCode(error, 'EACCES')
    ? 'run this as the user that runs the gateway, or give another file with --token-file'
    : 'give a file that holds an admin token with --token-file, or set RELAY_ADMIN_TOKEN'
}

/** A value that no header can carry must not reach one: the error would repeat it. */
function checked (value: string, source: string): { value: string, source: string } {
  if (!/^[\x21-\x7e]+$/.test(value)) throw badUsage(`${source} does not hold a token`, 'a token is one line without spaces')
  return { value, source }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
}

function hasCode (error: unknown, code: string): boolean {
  return codeOf(error) === code
}
