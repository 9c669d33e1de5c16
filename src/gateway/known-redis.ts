/**
 * Whether this gateway has worked with the Redis of its configuration before.
 *
 * If it has, and Redis is away, then that is an outage: the gateway may start
 * and take callbacks. If it has not, and nobody takes connections there, then
 * the address may be wrong, and a gateway that runs all the same would hide it.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../disk/directory.js'
import { replaceFile } from '../disk/whole-file.js'
import { isRelayError } from '../model/errors.js'
import { isNotReachable, isRedisAway } from '../model/redis-away.js'
import { describeTarget, type RedisTarget } from '../redis/target.js'

/** Which data: an address and a prefix. */
export interface RedisData { target: RedisTarget, prefix: string }

/** @param dir  `spool.dir` */
export function isKnownRedis (dir: string, data: RedisData): boolean {
  try {
    return readFileSync(fileIn(dir), 'utf8').trim() === markOf(data)
  } catch {
    return false
  }
}

/** Notes that it has been checked and may be used. @throws what the file system throws */
export async function rememberRedis (dir: string, data: RedisData): Promise<void> {
  if (isKnownRedis(dir, data)) return
  await makeDirectory(dir)
  await replaceFile(fileIn(dir), markOf(data) + '\n')
}

/** Whether an error of the start says that Redis is away, and not that it refuses us. */
export function isOutage (error: unknown): boolean {
  if (!isRelayError(error)) return isRedisAway(error)
  if (error.code !== 'REDIS_UNAVAILABLE') return false
  return !/WRONGPASS|NOAUTH|NOPERM|\bAUTH\b|certificate|\bTLS\b|\bSSL\b|self.signed|altname/i.test(String(error.details['lastError'] ?? ''))
}

/** Whether an error of the start says that somebody takes connections at the address of Redis, but is of no use yet. */
export function isReachable (error: unknown): boolean {
  if (!isRelayError(error)) return isRedisAway(error)
  const { lastError } = error.details
  return lastError === null || (typeof lastError === 'string' && !isNotReachable(lastError))
}

function fileIn (dir: string): string {
  return join(dir, 'known-redis')
}

/** Unreadable on purpose: an address is nobody's business. */
function markOf ({ target, prefix }: RedisData): string {
  return createHash('sha256').update(`${describeTarget(target)} ${prefix}`).digest('hex')
}
