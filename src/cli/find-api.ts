/**
 * Finds the URL and the token of the admin API.
 *
 *   URL    --url, --config, RELAY_ADMIN_URL, the usual configuration file
 *   token  --token-file, RELAY_ADMIN_TOKEN, the configuration file, <dataDir>/admin-token
 *
 * A token from this machine is sent to this machine only, unless `--config`
 * names another one. A token is never shown; its source is. Only `admin` and
 * `dataDir` of the configuration are read.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAdminPlace, type AdminPlace } from '../config/admin-place.js'
import { formatAddress, type ListenAddress } from '../config/config.js'
import { formatFault } from '../config/fault.js'
import { fileText } from '../model/file-text.js'
import { quoted, type ApiFlags } from './command-line.js'
import { chooseConfigFile, shortPath } from './config-file.js'
import type { ProgramDeps } from './deps.js'
import { badUsage, CommandFailure } from './failure.js'

export interface ApiPlace {
  /** Without a slash at the end. */
  url: string
  token: FoundToken | null
  /** Why there is no token, after "none was found: ". */
  withoutToken?: string
  /** The flags as given, to repeat them in the next step. */
  given?: ApiFlags
}

interface FoundToken { value: string, source: string }

type TokenSearch = Pick<ApiPlace, 'token' | 'withoutToken'>

type FindDeps = Pick<ProgramDeps, 'env' | 'packageDir'>

/** @throws CommandFailure if there is no URL, or a named token cannot be read */
export async function findApi (flags: ApiFlags, deps: FindDeps): Promise<ApiPlace> {
  const named = flags.url ?? (flags.config === undefined ? deps.env['RELAY_ADMIN_URL'] ?? '' : '')
  const namedToken = tokenNamed(flags, deps.env)
  const file = chooseConfigFile(flags.config, deps)
  const fromFile = (): AdminPlace => readAdminPlace({ file, env: deps.env })
  if (named === '') {
    const place = fromFile()
    return { url: urlIn(place, file), ...namedToken === null ? tokenIn(place, file) : { token: namedToken }, given: flags }
  }
  const url = readUrl(named)
  if (namedToken !== null) return { url, token: namedToken, given: flags }
  if (flags.config !== undefined || isThisMachine(url)) return { url, ...tokenIn(fromFile(), file), given: flags }
  return { url, token: null, withoutToken: 'the token of this machine is sent to another machine only with --config', given: flags }
}

function urlIn ({ listen, faults }: AdminPlace, file: string): string {
  if (listen !== null) return `http://${formatAddress(reachable(listen))}`
  throw badUsage(`${shortPath(file)} does not contain the address of the gateway: ${firstOf(faults, file)}`,
    `see all faults with: fotor-relay check ${quoted(shortPath(file))}`,
    'or give it yourself: --url http://127.0.0.1:8081 --token-file FILE')
}

function firstOf (faults: AdminPlace['faults'], file: string): string {
  const [fault] = faults
  return fault === undefined ? 'admin.listen is missing' : formatFault(fault, shortPath(file))
}

/** The address to connect to for an address to listen on: a listener on all addresses is reachable on loopback. */
export function reachable ({ host, port }: ListenAddress): ListenAddress {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}

/** Whether the token of the configuration may be sent there without `--config`. */
export function isThisMachine (url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}

function readUrl (written: string): string {
  if (!URL.canParse(written) || !/^https?:\/\//i.test(written)) {
    throw badUsage('the URL of the admin API does not start with http:// or https://', 'write --url http://127.0.0.1:8081')
  }
  return written.replace(/\/+$/, '')
}

function tokenNamed ({ tokenFile }: ApiFlags, env: NodeJS.ProcessEnv): FoundToken | null {
  if (tokenFile !== undefined) return readToken(tokenFile, `--token-file ${tokenFile}`)
  const value = env['RELAY_ADMIN_TOKEN'] ?? ''
  return value === '' ? null : checked(value, 'RELAY_ADMIN_TOKEN')
}

/** The token of the first operator; without one, the token that the gateway has created. */
function tokenIn ({ tokens, dataDir, faults }: AdminPlace, file: string): TokenSearch {
  const first = tokens.find(({ role }) => role === 'operator')
  if (first !== undefined) return { token: checked(first.value, `the token ${first.name} in ${shortPath(file)}`) }
  if (faults.length > 0 || dataDir === null) return { token: null, withoutToken: firstOf(faults, file) }
  const made = join(dataDir, 'admin-token')
  try {
    return { token: readToken(made, shortPath(made)) }
  } catch (error) {
    if (!(error instanceof CommandFailure && hasCode(error.cause, 'ENOENT'))) throw error
    return { token: null, withoutToken: `${shortPath(file)} names no operator's token, and there is no ${shortPath(made)}` }
  }
}

function readToken (file: string, source: string): FoundToken {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new CommandFailure(`the token file ${file} cannot be read (${codeOf(error)})`, {
      exitCode: 2, nextSteps: [stepFor(error)], cause: error
    })
  }
  const read = fileText(bytes)
  if ('problem' in read) throw badUsage(`the token file ${file} ${read.problem}`, read.hint)
  return checked(read.text.trim(), source)
}

function stepFor (error: unknown): string {
  return hasCode(error, 'EACCES')
    ? 'run this command as the user of the gateway, or give another file with --token-file'
    : 'give a file that holds an admin token with --token-file, or set RELAY_ADMIN_TOKEN'
}

/** A value that is not valid in a header must not reach one: the error message would show it. */
function checked (value: string, source: string): FoundToken {
  if (!/^[\x21-\x7e]+$/.test(value)) throw badUsage(`${source} does not hold a token`, 'a token is one line without spaces')
  return { value, source }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
}

function hasCode (error: unknown, code: string): boolean {
  return codeOf(error) === code
}
