/**
 * Writes that must work on a full Redis: those of starts, recovery, limits, orders
 * and alerts. They need little memory, and without them no memory would become
 * free.
 *
 * Callbacks, imports and the quarantine write in the normal way, and are refused
 * when Redis is full.
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
 * @throws     errors of ioredis
 */
export async function runDraining (redis: RedisClient, key: string, commands: readonly Command[]): Promise<unknown[]> {
  const texts = commands.map(command => command.map(String))
  return await runScript(redis, DRAIN, { keys: [key], args: [packr.pack(texts)] }) as unknown[]
}
