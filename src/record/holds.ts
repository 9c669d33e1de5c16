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

/** Every known subscriber and the hold that is shown for it, `null` for none. */
export type Holds = Map<string, SubscriberHold | null>

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

/** The holds of every subscriber that is configured or ever had a delivery. */
export async function readHolds ({ redis, keys }: RecordStore): Promise<Holds> {
  const names = await redis.smembers(keys.subscribers)
  const pipeline = redis.pipeline()
  for (const name of names) pipeline.hmget(keys.subscriber(name), ...HOLD_FIELDS)
  const replies = await pipeline.exec()
  return new Map(names.map((name, at) => {
    const [error, values] = replies![at]!
    if (error !== null) throw error
    return [name, shownHold(values as Array<string | null>)]
  }))
}

/** The hold to show for the values of {@link HOLD_FIELDS}. */
export function shownHold (values: ReadonlyArray<string | null>): SubscriberHold | null {
  return SUBSCRIBER_HOLDS[values.findIndex(value => value !== null)] ?? null
}

/**
 * Makes the holds that configuration decides true: `disabled` for entries that
 * say so, `removed` for subscribers that have no entry any more.
 *
 * @param configured  every entry of the running configuration
 * @returns           what changed
 */
export async function applyConfiguredHolds (
  store: RecordStore, configured: ReadonlyArray<{ name: string, enabled: boolean }>
): Promise<Array<{ subscriber: string, hold: SubscriberHold, set: boolean }>> {
  const known = new Set([...await store.redis.smembers(store.keys.subscribers), ...configured.map(({ name }) => name)])
  const entries = new Map(configured.map(entry => [entry.name, entry]))
  const changes: Array<{ subscriber: string, hold: SubscriberHold, set: boolean }> = []
  for (const name of known) {
    const entry = entries.get(name)
    const wanted: Array<[SubscriberHold, boolean]> = [['removed', entry === undefined], ['disabled', entry?.enabled === false]]
    for (const [hold, set] of wanted) {
      const changed = set ? await setHold(store, name, hold) : await clearHold(store, name, hold)
      if (changed) changes.push({ subscriber: name, hold, set })
    }
  }
  return changes
}
