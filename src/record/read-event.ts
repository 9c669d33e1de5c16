/**
 * Reads one event: what it is, what became of it, and its bytes.
 */
import type { Attempt } from '../model/delivery.js'
import { parseAttempts } from './fields.js'
import { readHolds } from './holds.js'
import { readShown, type ShownEvent } from './select.js'
import type { RecordStore } from './store.js'

/** An event with its deliveries and every attempt that is kept. */
export interface EventHistory extends ShownEvent {
  /** Oldest first, by subscriber. */
  attempts: Map<string, Attempt[]>
}

/** @returns `null` when there is no such event */
export async function readEvent (store: RecordStore, id: string): Promise<EventHistory | null> {
  const selected = await readShown(store, id, await readHolds(store))
  if (selected === null) return null
  const names = selected.deliveries.map(({ subscriber }) => subscriber)
  const lines = names.length === 0 ? [] : await store.redis.hmget(store.keys.event(id), ...names.map(name => 'a:' + name))
  return { ...selected, attempts: new Map(names.map((name, at) => [name, parseAttempts(lines[at] ?? '')])) }
}

/** The body as it arrived; `null` when there is no such event. */
export async function readBody ({ redis, keys }: RecordStore, id: string): Promise<Buffer | null> {
  return await redis.getBuffer(keys.body(id))
}
