/**
 * The breakers of subscribers in Redis, shared by all replicas. Recorded attempts
 * open and test them; this file advances them with time, and reads them.
 */
import type { Trial } from '../model/breaker.js'
import { runPackedScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const STEP = loadRecordScript(new URL('./step-breakers.lua', import.meta.url))

/** While closing, the rate of a subscriber doubles after this time, milliseconds. */
const STEP_MS = 500
/** Above this rate the breaker is closed. */
const MOST_PER_SECOND = 512

/** A change, and the new state. */
export interface BreakerChange { subscriber: string, to: 'open' | 'half-open' | 'closing' | 'closed' | 'released' }

/**
 * Advances the breakers of these subscribers. Each change is returned once,
 * whichever replica asks.
 *
 * @param subscribers  and whether each has a breaker; without one, its breaker is closed
 */
export async function stepBreakers ({ redis, keys }: RecordStore, subscribers: ReadonlyArray<{ name: string, hasBreaker: boolean }>): Promise<BreakerChange[]> {
  const { output } = await runPackedScript(redis, STEP, {
    key: keys.events,
    input: {
      prefix: `{${keys.prefix}}:`, stepMs: STEP_MS, mostPerSecond: MOST_PER_SECOND, subscribers: subscribers.map(({ name, hasBreaker }) => [name, hasBreaker])
    }
  })
  return (output as Array<[string, BreakerChange['to']]>).map(([subscriber, to]) => ({ subscriber, to }))
}

/** Fields of a subscriber's hash; see breaker.lua. */
export const TRIAL_FIELDS = ['breaker', 'breaker:rate'] as const

/** The trial state of a subscriber; `null` if it has none. */
export async function readTrial ({ redis, keys }: RecordStore, subscriber: string): Promise<Trial | null> {
  const [state, rate] = await redis.hmget(keys.subscriber(subscriber), ...TRIAL_FIELDS)
  if (state === 'half-open') return { state }
  return state === 'closing' ? { state, perSecond: Number(rate) } : null
}
