/**
 * The steps of an order: first it is counted, then done batch by batch. How far
 * it has come is noted in the same step as what is done, so that whoever goes
 * on, after a crash or elsewhere, begins where the last batch ended.
 */
import { sortableId } from '../model/sortable-id.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Queues } from '../queue/bullmq/queues.js'
import { readHolds } from '../record/holds.js'
import { selectEvents, type Filter, type SelectedEvent } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { loadScript, runScript } from '../redis/script.js'
import { countStep } from './count.js'
import { discardDeliveries } from './discard.js'
import { filterOf, type DiscardOrder, type Meant, type Order, type PurgeOrder, type ReleaseOrder, type ReplayOrder } from './order.js'
import { meantIn } from './missing.js'
import { purgeEvents } from './purge.js'
import { putBack } from './put-back.js'

const NOTE_COUNT = loadScript(new URL('./save-count.lua', import.meta.url))

/** Deliveries of one batch, about: one event may have more. */
const BATCH = 200
/** Events of one batch of a purge: each may have deliveries to everybody. */
const PURGE_BATCH = 50

export interface CarryOutOptions {
  store: RecordStore
  queues: Queues
  subscribers: () => readonly Subscriber[]
  /** Claims of events that are deleted are remembered for so long, milliseconds. */
  windowMs: () => number
}

/** An order that can be read. */
export interface PlacedOrder { id: string, order: Order }

/** One step of the counting; its end is where `matched` is known. */
export async function countMore ({ store, subscribers }: CarryOutOptions, { id, order }: PlacedOrder): Promise<void> {
  const { redis, keys } = store
  const from = await redis.hget(keys.replay(id), 'countCursor')
  if (from === null) return
  const { matched, next } = await countStep(store, order, { cursor: Number(from), subscribers: subscribers() })
  await runScript(redis, NOTE_COUNT, { keys: [keys.replay(id)], args: [from, matched, next ?? ''] })
}

export interface Batch {
  /** Where the next one begins; `null` when this was the last. */
  next: number | null
  /** Deliveries of it. */
  size: number
}

/** What is done with the deliveries of one page. */
interface Found<Kind> { id: string, order: Kind, rows: SelectedEvent[], meant: Meant[], cursor: number }

/** What each kind of order does; another kind is another entry. */
const DO: { [Kind in Order['kind']]: (options: CarryOutOptions, found: Found<Extract<Order, { kind: Kind }>>) => Promise<unknown> } = {
  replay: putBackBatch,
  discard: discardBatch,
  release: releaseBatch,
  purge: purgeBatch
}

/** One batch: found, then done and noted in one step. */
export async function carryOutBatch (options: CarryOutOptions, { id, order }: PlacedOrder): Promise<Batch> {
  const { store, subscribers } = options
  const known = subscribers()
  const filter = filterOf(order, known)
  const cursor = Number(await store.redis.hget(store.keys.replay(id), 'cursor'))
  const page = await selectEvents(store, filter, { limit: rowsOf(order, filter), cursor })
  const meant = await meantIn({ store, order, subscribers: known }, page.rows)
  await DO[order.kind](options, { id, order: order as never, rows: page.rows, meant, cursor: page.next ?? 0 })
  if (page.next === null && (order.kind === 'discard' || order.kind === 'purge')) await clearLines(options, filter)
  return { next: page.next, size: meant.length }
}

/** How many events make a batch. */
function rowsOf (order: Order, { subscribers }: Filter): number {
  if (order.kind === 'purge') return PURGE_BATCH
  const deliveries = Math.min(BATCH, order.kind === 'replay' ? order.ratePerSecond ?? BATCH : BATCH)
  return Math.max(1, Math.floor(deliveries / Math.max(1, subscribers?.length ?? 1)))
}

async function putBackBatch ({ store, queues }: CarryOutOptions, { id, order, rows, meant, cursor }: Found<ReplayOrder>): Promise<void> {
  await putBack({ store, queues }, meant, {
    replayId: id,
    newWebhookId: order.newId ? () => 'evt_' + sortableId(Date.now()) : null,
    cursor
  })
  await makeDue(queues, rows.flatMap(row => row.deliveries.filter(({ state }) => state === 'retrying')), meant)
}

async function releaseBatch ({ store, queues }: CarryOutOptions, { id, meant, cursor }: Found<ReleaseOrder>): Promise<void> {
  await putBack({ store, queues }, meant, { replayId: null, releaseId: id, newWebhookId: null, cursor })
}

async function purgeBatch ({ store, windowMs }: CarryOutOptions, { id, rows, cursor }: Found<PurgeOrder>): Promise<void> {
  await purgeEvents(store, rows.map(({ event }) => event.id), { orderId: id, cursor, windowMs: windowMs() })
}

/** Retrying deliveries keep their job; it is told to run now. */
async function makeDue (queues: Queues, retrying: ReadonlyArray<{ eventId: string, subscriber: string }>, meant: readonly Meant[]): Promise<void> {
  const waiting = new Set(retrying.map(({ eventId, subscriber }) => `${eventId} ${subscriber}`))
  const due = meant.filter(({ eventId, subscriber }) => waiting.has(`${eventId} ${subscriber}`))
  for (const name of new Set(due.map(({ subscriber }) => subscriber))) await queues.makeDue(name, due.filter(({ subscriber }) => subscriber === name))
}

/** An event may have many deliveries: only the last step says that the page is done. */
async function discardBatch ({ store }: CarryOutOptions, { id, order, meant, cursor }: Found<DiscardOrder>): Promise<void> {
  const { states } = order.filter
  let from = 0
  for (; meant.length - from > BATCH; from += BATCH) await discardDeliveries(store, meant.slice(from, from + BATCH), { orderId: id, states })
  await discardDeliveries(store, meant.slice(from), { orderId: id, states, cursor })
}

/** Jobs of subscribers that are on hold, or have no worker, leave their lines with nobody's help. */
async function clearLines ({ store, queues }: CarryOutOptions, { subscribers }: Filter): Promise<void> {
  for (const name of subscribers ?? (await readHolds(store)).keys()) await queues.clearLine(name)
}
