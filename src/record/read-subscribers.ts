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
  /** How many of the failed ones failed because they could not be read. */
  corrupt: number
  lastSuccessAt: number | null
  lastError: string | null
  /** Its last answer was no success, and something waits for it. */
  failing: boolean
  /** Something has been due for a minute, nothing holds it, no limit keeps it back, and nothing was attempted meanwhile. */
  overdue: boolean
  breaker: BreakerState
}

/** What has been due for so long should have been attempted, milliseconds. */
const OVERDUE_AFTER_MS = 60_000
/** Of what waits, so many are looked at to find one that is due. */
const OLDEST_READ = 5

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

async function readStatus (store: RecordStore, name: string): Promise<SubscriberStatus> {
  const { redis, keys } = store
  const replies = await redis.pipeline()
    .hgetall(keys.subscriber(name))
    .zcard(keys.open(name))
    .zcard(keys.held(name))
    .zcard(keys.failed(name))
    .zcard(keys.corrupt(name))
    .zrange(keys.open(name), '0', '0', 'WITHSCORES')
    .exists(keys.sent(name))
    .time()
    .exec()
  for (const [error] of replies!) if (error !== null) throw error
  const [facts, open, held, failed, corrupt, oldest, hasSent, time] = replies!.map(([, value]) => value) as
    [Record<string, string>, number, number, number, number, string[], number, [string, string]]
  const holds = SUBSCRIBER_HOLDS.filter(hold => facts['hold:' + hold] !== undefined)
  const attemptedAt = Math.max(Number(facts['lastSuccessAt'] ?? 0), Number(facts['lastErrorAt'] ?? 0))
  const since = Number(time[0]) * 1_000 - OVERDUE_AFTER_MS
  const isLeftAlone = open > 0 && holds.length === 0 && hasSent === 0 && attemptedAt < since
  return {
    name,
    holds,
    throttledUntil: facts['hold:throttle'] === undefined ? null : Number(facts['throttle:until'] ?? 0),
    counts: { open, held, failed, delivered: Number(facts['delivered'] ?? 0) },
    corrupt,
    oldestWaitingAt: oldest[1] === undefined ? null : Math.floor(Number(oldest[1]) / 1000),
    lastSuccessAt: facts['lastSuccessAt'] === undefined ? null : Number(facts['lastSuccessAt']),
    lastError: facts['lastError'] ?? null,
    breaker: facts['hold:breaker'] !== undefined ? 'open' : facts['breaker'] !== undefined ? 'half-open' : 'closed',
    overdue: isLeftAlone && await isAnyDue(store, name, since),
    failing: open > 0 && Number(facts['lastErrorAt'] ?? 0) > Number(facts['lastSuccessAt'] ?? 0)
  }
}

/** Whether one of the oldest open deliveries was due by then, epoch milliseconds; the others wait behind them. */
async function isAnyDue ({ redis, keys }: RecordStore, name: string, by: number): Promise<boolean> {
  const oldest = await redis.zrange(keys.open(name), '0', String(OLDEST_READ - 1), 'WITHSCORES')
  for (let at = 0; at < oldest.length; at += 2) {
    const dueAt = /"t":(\d+)/.exec(await redis.hget(keys.event(oldest[at]!), `d:${name}`) ?? '')?.[1]
    if (Math.max(Number(dueAt ?? 0), Number(oldest[at + 1]) / 1_000) <= by) return true
  }
  return false
}

export interface RecordStats {
  /** Since the record began. */
  accepted: number
  duplicates: number
  delivered: number
  failed: number
  /** Of these, the ones that could not be read. */
  corrupt: number
  /** Events that went before their retention was over, because memory was short. */
  deletedEarly: number
  /** Of these, the ones with a failed delivery. */
  failedDeletedEarly: number
  /** Claims of deleted events that went before the window was over. */
  claimsGivenUp: number
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
    corrupt: counter('corrupt'),
    deletedEarly: counter('deletedEarly'),
    failedDeletedEarly: counter('failedDeletedEarly'),
    claimsGivenUp: counter('claimsGivenUp'),
    events,
    memory
  }
}

/** How many events are in the record, and since when: the oldest one's place in it, epoch milliseconds, `null` without any. */
export async function readArriving ({ redis, keys }: RecordStore): Promise<{ events: number, oldestAt: number | null }> {
  const [events, oldest] = await Promise.all([redis.zcard(keys.events), redis.zrange(keys.events, '0', '0', 'WITHSCORES')])
  return { events, oldestAt: oldest[1] === undefined ? null : Math.floor(Number(oldest[1]) / 1_000) }
}
