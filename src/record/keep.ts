/**
 * Small texts that are kept for a while: locks, and what was answered under a
 * key. They are written also while Redis is full, because what makes room
 * needs them.
 */
import { runDraining } from '../redis/drain.js'
import type { RecordStore } from './store.js'

/**
 * Keeps a text.
 *
 * @param when  `absent` leaves alone what is there
 * @returns     whether it is kept now
 * @throws      what ioredis throws
 */
export async function keepFor (
  { redis }: Pick<RecordStore, 'redis'>, key: string, { text, ms, when }: { text: string, ms: number, when: 'absent' | 'always' }
): Promise<boolean> {
  const [answer] = await runDraining(redis, key, [['SET', key, text, 'PX', ms, ...when === 'absent' ? ['NX'] : []]])
  return answer === 'OK'
}
