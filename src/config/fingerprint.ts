/**
 * A short digest of a configuration, by which replicas find out that their
 * configurations differ.
 *
 * Two configurations have the same fingerprint if `changesBetween` finds no
 * change except in keys that are each replica's own. Secrets count: a rotated
 * secret that is not loaded everywhere is a difference. They leave the process
 * only in this digest, which is made like a stored password: from all of them
 * and everything else together, with a random salt, by a deliberately slow
 * function. So no secret can be guessed alone, and each guess at all of them
 * costs as much as a guess at a password.
 */
import { scrypt, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { comparable } from './changes.js'
import type { Config } from './config.js'
import { OWN_KEYS } from './own-keys.js'
import { yamlName } from './yaml-names.js'

/** 16 MiB and about a third of a second of one core, off the main thread. @see OWASP, Password Storage Cheat Sheet, scrypt */
export const COST: Readonly<ScryptOptions> = { N: 2 ** 14, r: 8, p: 5, maxmem: 2 ** 25 }
/** Enough to distinguish the configurations of one installation, and no more. */
const FINGERPRINT_BYTES = 6

const derive = promisify<string, string, number, ScryptOptions, Buffer>(scrypt)

/**
 * The fingerprint of a configuration.
 *
 * @param salt  random, the same for all replicas that are compared
 * @returns     12 hexadecimal digits
 */
export async function fingerprintOf (config: Config, salt: string): Promise<string> {
  const fingerprint = await derive(JSON.stringify(shared(comparable(config), '')), salt, FINGERPRINT_BYTES, COST)
  return fingerprint.toString('hex')
}

/** The configuration without each replica's own keys, and with sorted keys. */
function shared (value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value)
    .map(([key, inner]) => ({ key, inner: inner as unknown, path: path === '' ? yamlName(key) : `${path}.${yamlName(key)}` }))
    .filter(({ path }) => !OWN_KEYS.has(path))
    .sort((one, other) => one.key < other.key ? -1 : 1)
  return entries.map(({ key, inner, path }) => [key, shared(inner, path)])
}
