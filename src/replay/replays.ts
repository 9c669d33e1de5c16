/**
 * Replays as things to look at: made, listed, read and cancelled. What they
 * do is in `run`.
 */
import { sortableId } from '../model/sortable-id.js'
import type { Subscriber } from '../model/subscriber.js'
import { selectEvents } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { loadScript, runScript } from '../redis/script.js'
import { meantIn } from './missing.js'
import { filterOf, type ReplayOrder } from './order.js'

const FINISH = loadScript(new URL('./finish.lua', import.meta.url))

export interface Replay {
  /** `rpl_` and 26 characters that sort by time. */
  id: string
  /** `done` when every matched delivery has been put back in its queue. */
  state: 'running' | 'done' | 'cancelled'
  /** Deliveries that were meant when the replay was made. */
  matched: number
  /** Put back so far; what changed in between is left alone. */
  queued: number
  delivered: number
  failed: number
  /** Given up after they had been put back. */
  discarded: number
  /** Epoch milliseconds. */
  createdAt: number
  finishedAt: number | null
  order: ReplayOrder
}

/** Replays that are remembered. */
const MAX_KEPT = 1_000
/** Events read at a time while counting. */
const COUNT_STEP = 500

/** Counts the deliveries that an order means. */
export async function countMeant (
  store: RecordStore, order: ReplayOrder, subscribers: readonly Subscriber[]
): Promise<number> {
  const filter = filterOf(order, subscribers)
  const whole = order.state === 'failed' && Object.keys(filter).length === 2
  if (whole) return await countFailed(store, filter.subscribers ?? [])
  let matched = 0
  let cursor: number | null = null
  do {
    const page = await selectEvents(store, filter, { limit: COUNT_STEP, cursor })
    matched += (await meantIn({ store, order, subscribers }, page.rows)).length
    cursor = page.next
  } while (cursor !== null)
  return matched
}

/** Nothing but "failed, of these subscribers": the indexes know. */
async function countFailed ({ redis, keys }: RecordStore, names: readonly string[]): Promise<number> {
  const counts = await Promise.all(names.map(async name => await redis.zcard(keys.failed(name))))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Makes a replay; a runner takes it up. It concerns only events that are in the record now. */
export async function createReplay (store: RecordStore, order: ReplayOrder, subscribers: readonly Subscriber[]): Promise<{ id: string, matched: number }> {
  const { redis, keys } = store
  const now = Date.now()
  const id = 'rpl_' + sortableId(now)
  const newest = Number(await redis.get(keys.sequence) ?? 0)
  const matched = await countMeant(store, order, subscribers)
  await redis.multi()
    .hset(keys.replay(id), {
      state: 'running', matched, queued: 0, delivered: 0, failed: 0, createdAt: now, cursor: newest + 1, order: JSON.stringify(order)
    })
    .zadd(keys.replays, now, id)
    .sadd(keys.runningReplays, id)
    .exec()
  await forgetOldest(store)
  return { id, matched }
}

async function forgetOldest ({ redis, keys }: RecordStore): Promise<void> {
  const oldest = await redis.zrange(keys.replays, '0', String(-MAX_KEPT - 1))
  for (const id of oldest) {
    if (await redis.sismember(keys.runningReplays, id) === 1) continue
    await redis.multi().zrem(keys.replays, id).del(keys.replay(id)).exec()
  }
}

/** @returns `null` when there is no such replay */
export async function readReplay ({ redis, keys }: RecordStore, id: string): Promise<Replay | null> {
  const fields = await redis.hgetall(keys.replay(id))
  if (fields['state'] === undefined) return null
  return {
    id,
    state: fields['state'] as Replay['state'],
    matched: Number(fields['matched']),
    queued: Number(fields['queued']),
    delivered: Number(fields['delivered']),
    failed: Number(fields['failed']),
    discarded: Number(fields['discarded'] ?? 0),
    createdAt: Number(fields['createdAt']),
    finishedAt: fields['finishedAt'] === undefined ? null : Number(fields['finishedAt']),
    order: JSON.parse(fields['order']!) as ReplayOrder
  }
}

/**
 * Replays, newest first.
 *
 * @param cursor  a former page's `next`: an id; `null` begins with the newest
 */
export async function listReplays (
  store: RecordStore, { limit, cursor }: { limit: number, cursor: string | null }
): Promise<{ items: Replay[], next: string | null }> {
  const { redis, keys } = store
  const rank = cursor === null ? null : await redis.zrevrank(keys.replays, cursor)
  if (cursor !== null && rank === null) return { items: [], next: null } // forgotten meanwhile, and all older ones with it
  const from = rank === null ? 0 : rank + 1
  const ids = await redis.zrevrange(keys.replays, from, from + limit - 1)
  const items = (await Promise.all(ids.map(async id => await readReplay(store, id)))).filter((replay): replay is Replay => replay !== null)
  return { items, next: ids.length === limit ? ids.at(-1)! : null }
}

/**
 * Cancels a replay: nothing more is put back. What is in the queues already
 * stays there.
 *
 * @returns the replay, `null` when there is no such one; its state tells whether it was too late
 */
export async function cancelReplay (store: RecordStore, id: string): Promise<Replay | null> {
  const replay = await readReplay(store, id)
  if (replay?.state === 'running') await finishReplay(store, id, 'cancelled')
  return await readReplay(store, id)
}

/** Ends a replay, unless it has ended otherwise. */
export async function finishReplay ({ redis, keys }: RecordStore, id: string, state: 'done' | 'cancelled'): Promise<void> {
  await runScript(redis, FINISH, {
    keys: [keys.replay(id), keys.runningReplays],
    args: [id, state, Date.now()]
  })
}
