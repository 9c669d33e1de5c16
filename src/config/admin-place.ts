/**
 * Reads the admin part of a configuration, for clients of a gateway that runs with
 * it: its address and its tokens.
 *
 * Reads `admin` and `dataDir` only. The rest may have faults, or need variables
 * that only the environment of the gateway has. A value that cannot be read is
 * `null` and has a fault; a default never replaces a written value.
 */
import { resolve as absolute } from 'node:path'
import type { ListenAddress, Token } from './config.js'
import { locate, wholeFileFault, type Fault } from './fault.js'
import { parse, type LoadOptions } from './load.js'
import { readSettings } from './read-settings.js'
import { tokenOf } from './resolve.js'
import type { Draft } from './rules.js'
import { relaySchema, type Settings } from './schema.js'
import { shapeOf, type Shape } from './shape.js'
import { readSmallFile } from './small-file.js'
import type { Path, Written } from './written.js'

export interface AdminPlace {
  /** `admin.listen`. */
  listen: ListenAddress | null
  /** The readable entries of `admin.tokens`. */
  tokens: Token[]
  /** A relative path starts at the working directory. */
  dataDir: string | null
  /** Of `admin` and `dataDir`, or of the whole file (with an empty path). */
  faults: Fault[]
}

type Part = Draft<Pick<Settings, 'admin' | 'dataDir'>>

/**
 * Reads the admin part of a file.
 *
 * @throws never
 */
export function readAdminPlace ({ file, env }: LoadOptions): AdminPlace {
  const text = readSmallFile(file)
  if ('problem' in text) return nowhere([wholeFileFault(`the configuration file ${file} ${text.problem}`, text.hint ?? 'name another with --config FILE or RELAY_CONFIG')])
  const { written, problems } = parse(text.value)
  if (problems.some(({ path }) => path.length === 0)) return nowhere(locate(problems, written))

  const read = readSettings(PART, partOf(written), { env, readFile: readSmallFile })
  const all = [...problems.filter(({ path }) => isOfPart(path)), ...read.problems]
  const { admin, dataDir } = (read.value ?? {}) as Part
  const isHidden = all.some(({ path }) => path[0] !== 'dataDir' && path[1] !== 'tokens')
  return {
    listen: isHidden ? null : admin?.listen ?? null,
    tokens: (admin?.tokens ?? []).flatMap((token, at) => isWhole(token) ? [tokenOf(token, at)] : []),
    dataDir: dataDir === undefined ? null : absolute(dataDir),
    faults: locate(all, written)
  }
}

function nowhere (faults: Fault[]): AdminPlace {
  return { listen: null, tokens: [], dataDir: null, faults }
}

const WHOLE = shapeOf(relaySchema)
const PART: Shape = { ...WHOLE, properties: Object.fromEntries(Object.entries(WHOLE.properties ?? {}).filter(([key]) => isOfPart([key]))) }

function isOfPart ([first]: Path): boolean {
  return first === 'admin' || first === 'dataDir'
}

function partOf (written: Written): Written {
  if (written.kind !== 'block') return written
  return { ...written, entries: new Map([...written.entries].filter(([key]) => isOfPart([key]))) }
}

type TokenSettings = Settings['admin']['tokens'][number]

function isWhole (token: Draft<TokenSettings> | undefined): token is TokenSettings {
  if (typeof token !== 'object') return token !== undefined
  return token.name !== undefined && token.value !== undefined && token.role !== undefined
}
