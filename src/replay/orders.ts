/**
 * Orders as things to look at: placed, listed, read and cancelled. What they
 * mean is in `order`, what they do in `carry-out`.
 */
import { sortableId } from '../model/sortable-id.js'
import type { RecordStore } from '../record/store.js'
import { runDraining } from '../redis/drain.js'
import { loadScript, runScript } from '../redis/script.js'
import { ORDER_KINDS, type Order } from './order.js'

const PLACE = loadScript(new URL('./place.lua', import.meta.url))
const FINISH = loadScript(new URL('./finish.lua', import.meta.url))

export interface OrderProgress {
  /** `rpl_` for a replay, else `ord_`, and 26 characters that sort by time. */
  id: string
  kind: Order['kind']
  /** `done` when everything that was meant has been put back in its queue, given up or deleted. */
  state: 'running' | 'done' | 'cancelled'
  /** Deliveries, of a purge events, that were meant when the runner counted them; `null` until it has. */
  matched: number | null
  /** Put back so far, by a replay or a release; what changed in between is left alone. */
  queued: number
  delivered: number
  failed: number
  /** Of a replay: given up after they had been put back. Of a discard: given up so far. */
  discarded: number
  /** Events deleted so far, by a purge. */
  purged: number
  /** Epoch milliseconds. */
  createdAt: number
  finishedAt: number | null
  /** `null` when it cannot be read: then nobody knows what it means. A purge that is over has forgotten it. */
  order: Order | null
}

/** Orders that are remembered. */
const MAX_KEPT = 1_000

/** Takes an order; a runner carries it out. Costs the same whatever it means, and is taken also while Redis is full. */
export async function placeOrder (store: RecordStore, order: Order): Promise<string> {
  const { redis, keys } = store
  const now = Date.now()
  const id = (order.kind === 'replay' ? 'rpl_' : 'ord_') + sortableId(now)
  await runScript(redis, PLACE, {
    keys: [keys.replay(id), keys.replays, keys.runningOrders, keys.sequence],
    args: [id, order.kind, now, JSON.stringify(order)]
  })
  await forgetOldest(store)
  return id
}

async function forgetOldest ({ redis, keys }: RecordStore): Promise<void> {
  const oldest = await redis.zrange(keys.replays, '0', String(-MAX_KEPT - 1))
  for (const id of oldest) {
    if (await redis.hget(keys.replay(id), 'state') === 'running') continue
    await runDraining(redis, keys.replays, [['ZREM', keys.replays, id], ['DEL', keys.replay(id)]])
  }
}

/** @returns `null` when there is no such order */
export async function readOrder ({ redis, keys }: RecordStore, id: string): Promise<OrderProgress | null> {
  const fields = await redis.hgetall(keys.replay(id))
  if (fields['state'] === undefined) return null
  const count = (name: string): number => wholeIn(fields[name]) ?? 0
  return {
    id,
    kind: ORDER_KINDS.find(kind => kind === fields['kind']) ?? 'replay', // older gateways had no other kind
    state: fields['state'] === 'running' || fields['state'] === 'done' ? fields['state'] : 'cancelled',
    matched: wholeIn(fields['matched']),
    queued: count('queued'),
    delivered: count('delivered'),
    failed: count('failed'),
    discarded: count('discarded'),
    purged: count('purged'),
    createdAt: count('createdAt'),
    finishedAt: wholeIn(fields['finishedAt']),
    order: orderIn(fields)
  }
}

function wholeIn (text: string | undefined): number | null {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : null
}

function orderIn ({ order: written = '' }: Record<string, string>): Order | null {
  try {
    const order = { kind: 'replay', ...JSON.parse(written) as object } as Order // older gateways had no other kind
    return ORDER_KINDS.includes(order.kind) && typeof order.filter === 'object' && order.filter !== null ? order : null
  } catch {
    return null // whoever would carry it out tells so
  }
}

/** The orders that run now. */
export async function runningOrders ({ redis, keys }: RecordStore): Promise<string[]> {
  return await redis.sunion(keys.runningOrders, keys.runningReplays)
}

/**
 * Orders, newest first.
 *
 * @param cursor  a former page's `next`: an id; `null` begins with the newest
 */
export async function listOrders (
  store: RecordStore, { limit, cursor }: { limit: number, cursor: string | null }
): Promise<{ items: OrderProgress[], next: string | null }> {
  const { redis, keys } = store
  const rank = cursor === null ? null : await redis.zrevrank(keys.replays, cursor)
  if (cursor !== null && rank === null) return { items: [], next: null } // forgotten meanwhile, and all older ones with it
  const from = rank === null ? 0 : rank + 1
  const ids = await redis.zrevrange(keys.replays, from, from + limit - 1)
  const items = (await Promise.all(ids.map(async id => await readOrder(store, id)))).filter((order): order is OrderProgress => order !== null)
  return { items, next: ids.length === limit ? ids.at(-1)! : null }
}

/**
 * Cancels an order: nothing more is done for it. What is in the queues already,
 * or given up, stays so.
 *
 * @returns the order, `null` when there is no such one; its state tells whether it was too late
 */
export async function cancelOrder (store: RecordStore, id: string): Promise<OrderProgress | null> {
  const order = await readOrder(store, id)
  if (order?.state === 'running') await finishOrder(store, id, 'cancelled')
  return await readOrder(store, id)
}

/** Ends an order, unless it has ended otherwise. */
export async function finishOrder ({ redis, keys }: RecordStore, id: string, state: 'done' | 'cancelled'): Promise<void> {
  await runScript(redis, FINISH, {
    keys: [keys.replay(id), keys.runningOrders, keys.runningReplays],
    args: [id, state, Date.now()]
  })
}
