/**
 * What the record knows of subscribers, and of everything together.
 */
import type { BreakerState } from '../model/breaker.js'
import { SUBSCRIBER_HOLDS, type SubscriberHold } from '../model/delivery.js'
import { readMemory, type Memory } from '../redis/memory.js'
import type { RecordStore } from './store.js'

export interface SubscriberStatus {
  name: string
  /** Every hold that is set, in the order in which they are shown. */
  holds: SubscriberHold[]
  /** When its throttle ends, epoch milliseconds; `null` when it is not throttled. */
  throttledUntil: number | null
  counts: {
    /** Open deliveries that wait for their subscriber or for their time. */
    open: number
    /** Held for a reason of the event. */
    held: number
    /** Waiting to be replayed or discarded. */
    failed: number
    /** Delivered since the record began. */
    delivered: number
  }
  /** Arrival in the record of the oldest event that waits, epoch milliseconds; `null` when none does. */
  oldestWaitingAt: number | null
  lastSuccessAt: number | null
  lastError: string | null
  /** Its last answer was no success, and something waits for it. */
  failing: boolean
  breaker: BreakerState
}

/** Every subscriber that is configured or ever had a delivery, by name. */
export async function readSubscribers (store: RecordStore): Promise<SubscriberStatus[]> {
  const names = (await store.redis.smembers(store.keys.subscribers)).sort()
  return await Promise.all(names.map(async name => await readStatus(store, name)))
}

/** One of them; `null` when the record has never heard of it. */
export async function readSubscriber (store: RecordStore, name: string): Promise<SubscriberStatus | null> {
  const isKnown = await store.redis.sismember(store.keys.subscribers, name) === 1
  return isKnown ? await readStatus(store, name) : null
}

async function readStatus ({ redis, keys }: RecordStore, name: string): Promise<SubscriberStatus> {
  const replies = await redis.pipeline()
    .hgetall(keys.subscriber(name))
    .zcard(keys.open(name))
    .zcard(keys.held(name))
    .zcard(keys.failed(name))
    .zrange(keys.open(name), '0', '0', 'WITHSCORES')
    .exec()
  for (const [error] of replies!) if (error !== null) throw error
  const [facts, open, held, failed, oldest] = replies!.map(([, value]) => value) as
    [Record<string, string>, number, number, number, string[]]
  return {
    name,
    holds: SUBSCRIBER_HOLDS.filter(hold => facts['hold:' + hold] !== undefined),
    throttledUntil: facts['hold:throttle'] === undefined ? null : Number(facts['throttle:until'] ?? 0),
    counts: { open, held, failed, delivered: Number(facts['delivered'] ?? 0) },
    oldestWaitingAt: oldest[1] === undefined ? null : Math.floor(Number(oldest[1]) / 1000),
    lastSuccessAt: facts['lastSuccessAt'] === undefined ? null : Number(facts['lastSuccessAt']),
    lastError: facts['lastError'] ?? null,
    breaker: facts['hold:breaker'] !== undefined ? 'open' : facts['breaker'] !== undefined ? 'half-open' : 'closed',
    failing: open > 0 && Number(facts['lastErrorAt'] ?? 0) > Number(facts['lastSuccessAt'] ?? 0)
  }
}

export interface RecordStats {
  /** Since the record began. */
  accepted: number
  duplicates: number
  delivered: number
  failed: number
  /** Events that went before their retention was over, because memory was short. */
  deletedEarly: number
  /** Of these, the ones with a failed delivery. */
  failedDeletedEarly: number
  /** In the record now. */
  events: number
  /** How full Redis is; `null` when it has no limit or does not tell. */
  memory: Memory | null
}

/** The counters of the whole record, and the memory that it has. */
export async function readStats ({ redis, keys }: RecordStore): Promise<RecordStats> {
  const [counters, events, memory] = await Promise.all([redis.hgetall(keys.stats), redis.zcard(keys.events), readMemory(redis, keys)])
  const counter = (name: string): number => Number(counters[name] ?? 0)
  return {
    accepted: counter('accepted'),
    duplicates: counter('duplicates'),
    delivered: counter('delivered'),
    failed: counter('failed'),
    deletedEarly: counter('deletedEarly'),
    failedDeletedEarly: counter('failedDeletedEarly'),
    events,
    memory
  }
}
