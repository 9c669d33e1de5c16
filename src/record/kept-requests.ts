/**
 * Requests of operators that are kept for a while by a key of theirs, so that
 * the same one made twice is done once. Works on a full Redis.
 */
import { runDraining } from '../redis/drain.js'
import type { RecordStore } from './store.js'

/**
 * Keeps a request unless one is kept there already.
 *
 * @param slot   a key of the relay
 * @param forMs  how long, milliseconds
 * @returns      whether it was kept
 */
export async function claimRequest ({ redis }: RecordStore, slot: string, { request, forMs }: { request: string, forMs: number }): Promise<boolean> {
  const [answer] = await runDraining(redis, slot, [['SET', slot, request, 'PX', forMs, 'NX']])
  return answer === 'OK'
}

/** Keeps a request in the place of what is kept there. */
export async function keepRequest ({ redis }: RecordStore, slot: string, { request, forMs }: { request: string, forMs: number }): Promise<void> {
  await runDraining(redis, slot, [['SET', slot, request, 'PX', forMs]])
}
