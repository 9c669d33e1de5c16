/**
 * Redis's clock: the one by which it is decided what is due, what is over, and
 * what happened within the last minutes. Gateways may differ from it.
 */
import type { RecordStore } from './store.js'

/** A reading that took longer tells too little, milliseconds. */
const READ_WITHIN_MS = 500

/**
 * @returns epoch milliseconds
 * @throws  what ioredis throws
 */
export async function readTime ({ redis }: Pick<RecordStore, 'redis'>): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000)
}

/**
 * How far Redis's clock is ahead of ours.
 *
 * @returns milliseconds, negative when it is behind; `null` when it took too long to ask
 * @throws  what ioredis throws
 */
export async function readSkew (store: Pick<RecordStore, 'redis'>): Promise<number | null> {
  const asked = Date.now()
  const began = performance.now()
  const redisMs = await readTime(store)
  const tookMs = performance.now() - began
  return tookMs > READ_WITHIN_MS ? null : Math.round(redisMs - (asked + tookMs / 2))
}
