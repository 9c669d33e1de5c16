/**
 * Waits for what Redis does in the background after a large fill, so that it
 * is not measured as part of something else.
 */
import type { Redis } from 'ioredis'
import { setTimeout as wait } from 'node:timers/promises'
import { readInfo } from './redis.js'

const AT_MOST_MS = 120_000
const LOOK_EVERY_MS = 50

/** Resolves when the append-only file is not being rewritten; gives up waiting after two minutes. */
export async function settleAof (client: Redis): Promise<void> {
  const until = performance.now() + AT_MOST_MS
  while (performance.now() < until) {
    const busy = await readInfo(client, 'persistence', 'aof_rewrite_in_progress') +
      await readInfo(client, 'persistence', 'aof_rewrite_scheduled')
    if (busy === 0) return
    await wait(LOOK_EVERY_MS)
  }
}
