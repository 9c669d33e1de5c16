/**
 * Lua scripts as files of their own, beside the TypeScript that calls them.
 *
 * A line `--- @include name.lua` is replaced by that file (from the same
 * folder, or a relative path), each file once. Every script says its KEYS,
 * ARGV and what it returns at its top.
 */
import { readFileSync } from 'node:fs'
import type { Redis, Cluster } from 'ioredis'

/** One Redis primary, or a cluster of them; everything here works with both. */
export type RedisClient = Redis | Cluster

export interface Script {
  /** Unique among all scripts; becomes the name of a command on the client. */
  name: string
  lua: string
}

/**
 * Reads a script, its includes resolved.
 *
 * @param url  of the file: `new URL('./accept.lua', import.meta.url)`
 * @throws     when a file is missing, at start and never later
 */
export function loadScript (url: URL): Script {
  const seen = new Set<string>()
  const name = url.pathname.split('/').pop()!.replace(/\.lua$/, '')
  return { name: `relay-${name}`, lua: resolve(url, seen) }
}

function resolve (url: URL, seen: Set<string>): string {
  if (seen.has(url.href)) return ''
  seen.add(url.href)
  return readFileSync(url, 'utf8').replace(/^--- @include (\S+)$/gm,
    (_, path: string) => resolve(new URL(path, url), seen))
}

type Argument = string | number | Buffer

/**
 * Runs a script on a client, with the keys first.
 *
 * @returns what the script returns, strings as strings
 * @throws  what ioredis throws
 */
export async function runScript (
  client: RedisClient, script: Script, { keys, args }: { keys: readonly string[], args: readonly Argument[] }
): Promise<unknown> {
  const command = defineOn(client, script)
  return await command.call(client, keys.length, ...keys, ...args)
}

type Command = (...args: Argument[]) => Promise<unknown>

/** Makes sure the client knows the script; returns its command. The client remembers it, so this is cheap. */
export function defineOn (client: RedisClient, script: Script): Command {
  const commands = client as unknown as Record<string, Command | undefined>
  if (commands[script.name] === undefined) client.defineCommand(script.name, { lua: script.lua })
  return commands[script.name]!
}
