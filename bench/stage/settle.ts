/**
 * Waits for what Redis does in the background after a large fill, so that it
 * is not measured as part of something else: each event had its share of that
 * when it was accepted.
 */
import type { Redis } from 'ioredis'
import { setTimeout as wait } from 'node:timers/promises'
import { readInfo } from './redis.js'

const AT_MOST_MS = 120_000
const LOOK_EVERY_MS = 50
/** Redis looks every 100 ms whether it should begin. */
const QUIET_MS = 400

/** Tables that grew are moved a millisecond at a time, ten times a second; this makes it hundreds. */
const QUICK_HZ = '500'
/** How many keys are moved in a millisecond of waiting then, with much to spare. */
const KEYS_PER_MS = 400

/** Resolves when what was written is on the disk, the append-only file is at rest, and so are the tables in memory. */
export async function settle (client: Redis): Promise<void> {
  await settleAof(client)
  const [, hz = '10'] = await client.config('GET', 'hz') as string[]
  await client.config('SET', 'hz', QUICK_HZ)
  await wait(await client.dbsize() / KEYS_PER_MS)
  await client.config('SET', 'hz', hz)
}

/** Resolves when the file is not being rewritten nor about to be; gives up waiting after two minutes. */
async function settleAof (client: Redis): Promise<void> {
  await client.set('bench:settled', '1') // with `appendfsync always`, answered when all before it is on the disk
  await client.del('bench:settled')
  const until = performance.now() + AT_MOST_MS
  let quietSince = performance.now()
  while (performance.now() < until && performance.now() - quietSince < QUIET_MS) {
    await wait(LOOK_EVERY_MS)
    const busy = await readInfo(client, 'persistence', 'aof_rewrite_in_progress') +
      await readInfo(client, 'persistence', 'aof_rewrite_scheduled')
    if (busy !== 0) quietSince = performance.now()
  }
}
