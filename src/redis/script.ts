/**
 * Lua scripts as files of their own, beside the TypeScript that calls them.
 *
 * A line `--- @include name.lua` is replaced by that file (from the same folder,
 * or a relative path), each file once. A line `--- @constant NAME` is replaced by
 * a local variable of that name, whose value comes from TypeScript. A script can
 * get other scripts as functions, so that one call to Redis does the work of
 * several scripts in one atomic step. The head of every script says its KEYS, its
 * ARGV and what it returns.
 */
import { readFileSync } from 'node:fs'
import { Packr } from 'msgpackr'
import { Cluster, type Redis } from 'ioredis'

/** One Redis primary, or a cluster; all code here works with both. */
export type RedisClient = Redis | Cluster

export interface Script {
  /** Unique among all scripts; becomes the name of a command on the client. */
  name: string
  lua: string
}

/** Lists and tables of names and numbers that a script shares with TypeScript, by the name of its variable. */
export type Constants = Readonly<Record<string, Constant>>
type Constant = string | number | readonly Constant[] | { readonly [name: string]: Constant }

/**
 * Reads a script, with its includes and constants.
 *
 * @param url  of the file: `new URL('./accept.lua', import.meta.url)`
 * @throws     if a file or a constant is missing; at start, never later
 */
export function loadScript (url: URL, constants: Constants = {}): Script {
  const seen = new Set<string>()
  const name = url.pathname.split('/').pop()!.replace(/\.lua$/, '')
  const lua = resolve(url, seen).replace(/^--- @constant (\w+)$/gm, (_, constant: string) => {
    const value = constants[constant]
    if (value === undefined) throw new Error(`${name}.lua wants a constant ${constant} that it was not given`)
    return `local ${constant} = ${literalOf(value)}`
  })
  return { name: `relay-${name}`, lua }
}

/** Reads a file that scripts include, for a script whose text is not in a file of ours. */
export function includable (url: URL): string {
  return resolve(url, new Set())
}

function literalOf (value: Constant): string {
  if (typeof value !== 'object') return JSON.stringify(value)
  const entries = Array.isArray(value)
    ? (value as readonly Constant[]).map(literalOf)
    : Object.entries(value).map(([name, entry]) => `[${JSON.stringify(name)}] = ${literalOf(entry)}`)
  return `{ ${entries.join(', ')} }`
}

function resolve (url: URL, seen: Set<string>): string {
  if (seen.has(url.href)) return ''
  seen.add(url.href)
  return readFileSync(url, 'utf8').replace(/^--- @include (\S+)$/gm,
    (_, path: string) => resolve(new URL(path, url), seen))
}

/**
 * Gives a script other scripts as functions of the form `name(KEYS, ARGV, redis)`;
 * each returns what its script returns. The caller decides what a function gets as
 * `redis`.
 *
 * @param functions  the Lua of each, by its name
 */
export function withFunctions (script: Script, functions: Readonly<Record<string, string>>): Script {
  const definitions = Object.entries(functions)
    .map(([name, lua]) => `local function ${name}(KEYS, ARGV, redis)\n${lua}\nend\n`)
  return { name: script.name, lua: definitions.join('') + script.lua }
}

type Argument = string | number | Buffer

/**
 * Runs a script on a client, with the keys first.
 *
 * @returns what the script returns, strings as strings
 * @throws  errors of ioredis
 */
export async function runScript (
  client: RedisClient, script: Script, { keys, args }: { keys: readonly string[], args: readonly Argument[] }
): Promise<unknown> {
  const guarded = guard(client, keys)
  return await commandOf(client, script).call(client, guarded.length, ...guarded, ...args)
}

/**
 * On a cluster, the keys and one that never exists.
 *
 * While a slot moves to another node, its keys are on both nodes. A script that
 * reaches a missing key fails there, but keeps what it has written before. Our
 * scripts use keys that they do not name. If one of the named keys is missing, the
 * node refuses the whole script for as long as the slot moves (`TRYAGAIN`).
 */
function guard (client: RedisClient, keys: readonly string[]): readonly string[] {
  return client instanceof Cluster ? [...keys, `${/^\{.+?\}/.exec(keys[0]!)?.[0] ?? keys[0]!}:nothing`] : keys
}

/** The type of scripts has no records, no binary strings and no holes in a list. */
const packr = new Packr({ useRecords: false, int64AsType: 'number' })

/** The input of a script that takes many values at once. */
export interface PackedCall {
  /** For Redis Cluster: any key of ours; the others have the same hash tag. */
  key: string
  /** ARGV[1], MessagePack: objects, lists, strings, finite numbers, booleans. No `undefined` or `null` in a list. */
  input: unknown
  /** ARGV[2] and following, byte for byte. */
  blobs?: readonly Buffer[]
}

/**
 * Runs a script that takes and returns one packed value: for calls with hundreds of
 * arguments, each of which would cost more than its content.
 *
 * @returns the value that the script packed as the first entry of its reply, and the other entries unchanged
 * @throws  errors of ioredis
 */
export async function runPackedScript (
  client: RedisClient, script: Script, { key, input, blobs = [] }: PackedCall
): Promise<{ output: unknown, blobs: Buffer[] }> {
  const command = commandOf(client, script, 'Buffer')
  const keys = guard(client, [key])
  const [packed, ...others] = await command.call(client, keys.length, ...keys, packr.pack(input), ...blobs) as [Buffer, ...Buffer[]]
  return { output: packr.unpack(packed), blobs: others }
}

/** Reads a value that other code packed for its own script. */
export function unpack (packed: Buffer): unknown {
  return packr.unpack(packed)
}

type Command = (...args: Argument[]) => Promise<unknown>

/** The client's command for a script, defined on first use. The client keeps it, so this is cheap. */
function commandOf (client: RedisClient, script: Script, replies: '' | 'Buffer' = ''): Command {
  const commands = client as unknown as Record<string, Command | undefined>
  if (commands[script.name] === undefined) client.defineCommand(script.name, { lua: script.lua })
  return commands[script.name + replies]!
}
