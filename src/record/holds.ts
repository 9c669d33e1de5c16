/**
 * The holds of subscribers: facts in Redis that keep their deliveries waiting.
 * Each is set and cleared on its own, and all survive restarts. While one is
 * set, the subscriber's hold clock stands still, and with it `maxAge`.
 */
import { SUBSCRIBER_HOLDS, type SubscriberHold } from '../model/delivery.js'
import { runScript } from '../redis/script.js'
import { HOLD_FIELDS } from './fields.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const HOLD = loadRecordScript(new URL('./hold.lua', import.meta.url))
const RESUME = loadRecordScript(new URL('./resume.lua', import.meta.url))

/** What holds a subscriber's deliveries, and until when if it ends by itself, epoch milliseconds. */
export interface ShownHold { by: SubscriberHold, untilMs: number | null }

/** Every known subscriber and the hold that is shown for it, `null` for none. */
export type Holds = Map<string, ShownHold | null>

/**
 * Sets a hold.
 *
 * @returns whether it was not set before
 */
export async function setHold (store: RecordStore, subscriber: string, hold: SubscriberHold): Promise<boolean> {
  return await changeHold(store, subscriber, [hold, 'set'])
}

/**
 * Clears a hold.
 *
 * @returns whether it was set before
 */
export async function clearHold (store: RecordStore, subscriber: string, hold: SubscriberHold): Promise<boolean> {
  return await changeHold(store, subscriber, [hold, 'clear'])
}

async function changeHold ({ redis, keys }: RecordStore, subscriber: string, change: [SubscriberHold, 'set' | 'clear']): Promise<boolean> {
  return await runScript(redis, HOLD, {
    keys: [keys.subscriber(subscriber), keys.subscribers],
    args: [subscriber, ...change]
  }) === 1
}

/**
 * Lets a subscriber go, whatever an operator can end: pause, gone and throttle
 * are cleared, and an open breaker makes its trial now.
 *
 * @returns the holds that ended
 */
export async function resumeSubscriber ({ redis, keys }: RecordStore, subscriber: string): Promise<SubscriberHold[]> {
  return await runScript(redis, RESUME, { keys: [keys.subscriber(subscriber), keys.subscribers], args: [subscriber] }) as SubscriberHold[]
}

/** The holds of every subscriber that is configured or ever had a delivery. */
export async function readHolds ({ redis, keys }: RecordStore): Promise<Holds> {
  const names = await redis.smembers(keys.subscribers)
  const pipeline = redis.pipeline()
  for (const name of names) pipeline.hmget(keys.subscriber(name), 'throttle:until', ...HOLD_FIELDS)
  const replies = await pipeline.exec()
  return new Map(names.map((name, at) => {
    const [error, values] = replies![at]!
    if (error !== null) throw error
    const [until, ...holds] = values as Array<string | null>
    const by = shownHold(holds)
    return [name, by === null ? null : { by, untilMs: by === 'throttle' ? Number(until ?? null) : null }]
  }))
}

/** The hold to show for the values of {@link HOLD_FIELDS}. */
export function shownHold (values: ReadonlyArray<string | null>): SubscriberHold | null {
  return SUBSCRIBER_HOLDS[values.findIndex(value => value !== null)] ?? null
}
