/**
 * Reads one event: what it is, what became of it, and its bytes; and the bytes
 * of many.
 */
import type { Attempt } from '../model/delivery.js'
import type { Event } from '../model/event.js'
import { parseAttempts, parseWholeEvent } from './fields.js'
import { readHolds } from './holds.js'
import { showStored, type ShownEvent } from './select.js'
import type { RecordStore } from './store.js'

/** An event with its deliveries and every attempt that is kept. */
export interface EventHistory extends ShownEvent {
  /** Oldest first, by subscriber. */
  attempts: Map<string, Attempt[]>
}

/** @returns `null` when there is no such event */
export async function readEvent (store: RecordStore, id: string): Promise<EventHistory | null> {
  const { redis, keys } = store
  const [holds, fields, place, hasBody] = await Promise.all([
    readHolds(store), redis.hgetall(keys.event(id)), redis.zscore(keys.events, id), redis.exists(keys.body(id))
  ])
  const stored = parseWholeEvent(id, fields, Number(place ?? 0))
  if (stored === null) return null
  const history = stored.subscribers.map(name => [name, parseAttempts(fields['a:' + name] ?? '')] as const)
  const corrupt = stored.corrupt || hasBody === 0 || history.some(([, read]) => read.corrupt)
  return {
    ...showStored({ ...stored, corrupt }, name => fields['d:' + name] ?? '', holds),
    attempts: new Map(history.map(([name, { attempts }]) => [name, attempts]))
  }
}

/** The body as it arrived; `null` when it is gone, with its event or alone. */
export async function readBody ({ redis, keys }: RecordStore, id: string): Promise<Buffer | null> {
  return await redis.getBuffer(keys.body(id))
}

/** Bodies read in one round trip, bytes together; a larger one comes alone. */
const BODIES_BYTES = 4 * 1024 * 1024

/**
 * The bodies of many events, in their order, some at a time; an event that
 * has been deleted meanwhile is left out.
 *
 * @throws what ioredis throws
 */
export async function * readBodies<E extends Pick<Event, 'id' | 'size'>> (
  { redis, keys }: RecordStore, events: readonly E[]
): AsyncGenerator<Array<E & { body: Buffer }>> {
  for (const group of inGroups(events)) {
    const pipeline = redis.pipeline()
    for (const { id } of group) pipeline.getBuffer(keys.body(id))
    const replies = (await pipeline.exec())!
    yield group.flatMap((event, at) => {
      const [error, body] = replies[at]!
      if (error !== null) throw error
      return body === null ? [] : [{ ...event, body: body as Buffer }]
    })
  }
}

/** Together no larger than what is read at a time. */
function inGroups<E extends Pick<Event, 'size'>> (events: readonly E[]): E[][] {
  const groups: E[][] = []
  let left = 0
  for (const event of events) {
    if (event.size > left || groups.length === 0) {
      groups.push([])
      left = BODIES_BYTES
    }
    groups.at(-1)!.push(event)
    left -= event.size
  }
  return groups
}
