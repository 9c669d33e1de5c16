/**
 * Small texts that are kept for a while: locks, and answers under an idempotency
 * key. They are written even if Redis is full, because operations that free
 * memory need them.
 */
import { runDraining } from '../redis/drain.js'
import type { RecordStore } from './store.js'

/**
 * Keeps a text.
 *
 * @param when  `absent` leaves an existing text unchanged
 * @returns     whether it is kept now
 * @throws      errors of ioredis
 */
export async function keepFor (
  { redis }: Pick<RecordStore, 'redis'>, key: string, { text, ms, when }: { text: string, ms: number, when: 'absent' | 'always' }
): Promise<boolean> {
  const [answer] = await runDraining(redis, key, [['SET', key, text, 'PX', ms, ...when === 'absent' ? ['NX'] : []]])
  return answer === 'OK'
}
