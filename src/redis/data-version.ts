/**
 * The version of the data in Redis, so that an older release never reads or writes
 * data with an unknown layout.
 */
import { RelayError } from '../model/errors.js'
import type { Keys } from './keys.js'
import { runDraining } from './drain.js'
import type { RedisClient } from './script.js'

/**
 * The layout that this code reads and writes. It rises with the release line: `N.x`
 * writes version N (`0.x` writes 1), and reads all earlier ones.
 */
export const DATA_VERSION = 1

/**
 * Marks the data as ours, or checks that we may use it. Reads first: no write is
 * needed for the decision. If two gateways find empty data, one writes the mark
 * and the other reads it.
 *
 * @throws RelayError REDIS_UNFIT if the data is newer than this release, or not ours
 * @throws errors of ioredis, if Redis cannot be reached
 */
export async function claimDataVersion (client: RedisClient, keys: Keys): Promise<void> {
  if (await hasDataToRead(client, keys)) return
  await runDraining(client, keys.version, [['SET', keys.version, DATA_VERSION, 'NX']])
  if (!await hasDataToRead(client, keys)) throw notOurs(keys)
}

/**
 * Whether there is data that this release can read. Never writes.
 *
 * @throws RelayError REDIS_UNFIT if the data is newer than this release, or not ours
 */
export async function hasDataToRead (client: RedisClient, keys: Keys): Promise<boolean> {
  const found = await client.get(keys.version)
  if (found === null) return false
  if (!/^[1-9]\d{0,8}$/.test(found)) throw notOurs(keys)
  const version = Number(found)
  if (version > DATA_VERSION) {
    throw new RelayError('REDIS_UNFIT',
      `the data under the prefix "${keys.prefix}" has version ${version} and this release reads up to ${DATA_VERSION}: ` +
      `run fotor-relay ${version}.x or newer, or choose another redis.prefix`, { version, reads: DATA_VERSION })
  }
  return true
}

function notOurs (keys: Keys): RelayError {
  return new RelayError('REDIS_UNFIT',
    `${keys.version} holds no data version of fotor-relay: choose another redis.prefix than "${keys.prefix}"`)
}
