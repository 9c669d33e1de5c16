/**
 * Redis's clock, which decides what is due, what has ended, and what happened
 * within the last minutes. The clocks of gateways may differ from it.
 */
import type { RecordStore } from './store.js'

/** A slower reading is too inexact, milliseconds. */
const READ_WITHIN_MS = 500

/**
 * @returns epoch milliseconds
 * @throws  errors of ioredis
 */
export async function readTime ({ redis }: Pick<RecordStore, 'redis'>): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000)
}

/**
 * How far Redis's clock is ahead of ours.
 *
 * @returns milliseconds, negative if it is behind; `null` if the reading was too slow
 * @throws  errors of ioredis
 */
export async function readSkew (store: Pick<RecordStore, 'redis'>): Promise<number | null> {
  const asked = Date.now()
  const began = performance.now()
  const redisMs = await readTime(store)
  const tookMs = performance.now() - began
  return tookMs > READ_WITHIN_MS ? null : Math.round(redisMs - (asked + tookMs / 2))
}
