/**
 * The breakers of subscribers as they are in Redis, shared by all replicas.
 * They open and are proved by the attempts that go on record; here they are
 * moved on with time, and read.
 */
import type { Trial } from '../model/breaker.js'
import { runPackedScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const STEP = loadRecordScript(new URL('./step-breakers.lua', import.meta.url))

/** Closing, a subscriber gets twice as many per second after this, milliseconds. */
const STEP_MS = 500
/** One that takes more than this is closed. */
const MOST_PER_SECOND = 512

/** What has changed, to what. */
export interface BreakerChange { subscriber: string, to: 'open' | 'half-open' | 'closing' | 'closed' | 'released' }

/**
 * Moves the breakers of these subscribers on. Each change is returned once,
 * whichever replica asks.
 *
 * @param subscribers  with whether each has a breaker; of one that has none it is closed
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

/** How a subscriber is being tried; `null` when it is not. */
export async function readTrial ({ redis, keys }: RecordStore, subscriber: string): Promise<Trial | null> {
  const [state, rate] = await redis.hmget(keys.subscriber(subscriber), ...TRIAL_FIELDS)
  if (state === 'half-open') return { state }
  return state === 'closing' ? { state, perSecond: Number(rate) } : null
}
