/**
 * Writes that must work on a full Redis: what starts, recovers, limits, orders
 * or tells. They take little, and without them nothing would make room again.
 *
 * What takes callbacks, imports or keeps what was refused writes in the plain
 * way, and is refused when Redis is full.
 */
import { Packr } from 'msgpackr'
import { loadScript, runScript, type RedisClient } from './script.js'

const DRAIN = loadScript(new URL('./drain.lua', import.meta.url))
const packr = new Packr({ useRecords: false })

/** One command: its name and its arguments; all keys have the hash tag of the relay. */
export type Command = readonly [name: string, ...args: Array<string | number>]

/**
 * Runs commands in one atomic step.
 *
 * @param key  one that they write
 * @returns    what each returns: a text, a number, or `null`
 * @throws     what ioredis throws
 */
export async function runDraining (redis: RedisClient, key: string, commands: readonly Command[]): Promise<unknown[]> {
  const texts = commands.map(command => command.map(String))
  return await runScript(redis, DRAIN, { keys: [key], args: [packr.pack(texts)] }) as unknown[]
}
