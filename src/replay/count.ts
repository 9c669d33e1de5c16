/**
 * Counts what an order means, in short steps: a dry run only so far, whoever
 * carries an order out to the end.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { DeliveryState } from '../model/delivery.js'
import type { Subscriber } from '../model/subscriber.js'
import { readHolds } from '../record/holds.js'
import { selectEvents, type Filter } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { filterOf, type Order } from './order.js'
import { meantIn } from './missing.js'

/** Rows of one step, at most. */
const STEP_ROWS = 500
/** A dry run counts no further than this. */
const DRY_RUN_COUNTS = 10_000

/** How far {@link countSoFar} goes. */
export interface CountBounds {
  /** Those of the running configuration. */
  subscribers: readonly Subscriber[]
  counts?: number
  /** Ends it early: nobody waits for it any more. */
  signal?: AbortSignal
}

/** Where {@link countStep} begins. */
export interface CountPlace {
  /** Only events with a sequence below it; `null` begins with the newest. */
  cursor: number | null
}

/**
 * One step: about a thousand events, a dozen milliseconds of Redis's time.
 *
 * @returns how many deliveries of them, or events, are meant, and where to go on; `null` at the end
 */
export async function countStep (
  store: RecordStore, order: Order, { cursor, subscribers }: CountPlace & { subscribers: readonly Subscriber[] }
): Promise<{ matched: number, next: number | null }> {
  const filter = filterOf(order, subscribers)
  const indexes = await indexesThatTell(store, order, filter)
  if (indexes !== null) return { matched: await lengthOf(store, indexes), next: null }
  const page = await selectEvents(store, filter, { limit: STEP_ROWS, cursor, budgetMs: 0 })
  if (order.kind === 'purge') return { matched: page.rows.length, next: page.next }
  return { matched: (await meantIn({ store, order, subscribers }, page.rows)).length, next: page.next }
}

/**
 * Counts for a dry run: to the end, however much there is to look through, or
 * until there is no point in counting on. Leaves others as much time as it takes.
 *
 * @returns how many are meant; with `atLeast` when there may be more: it stopped before the end
 */
export async function countSoFar (
  store: RecordStore, order: Order, { subscribers, counts = DRY_RUN_COUNTS, signal }: CountBounds
): Promise<{ matched: number, atLeast?: true }> {
  let matched = 0
  let cursor: number | null = null
  for (;;) {
    const started = performance.now()
    const step = await countStep(store, order, { cursor, subscribers })
    matched += step.matched
    cursor = step.next
    if (cursor === null) return { matched }
    if (matched >= counts || signal?.aborted === true) return { matched, atLeast: true }
    await wait(performance.now() - started)
  }
}

/** What waits, for whatever reason. */
const WAITING: readonly DeliveryState[] = ['queued', 'retrying', 'held']

/** Nothing but "failed", "held for its event" or "whatever waits", of some subscribers: the indexes know. `null` when they do not. */
async function indexesThatTell (
  store: RecordStore, order: Order, { subscribers, states = [], heldByEvent, ...others }: Filter
): Promise<string[] | null> {
  if (order.kind === 'purge' || (order.kind === 'replay' && order.state !== 'failed') || Object.keys(others).length > 0) return null
  const waiting = WAITING.filter(state => states.includes(state)).length
  if (heldByEvent !== true && waiting > 0 && waiting < WAITING.length) return null
  const { keys } = store
  const names = subscribers ?? [...(await readHolds(store)).keys()]
  if (heldByEvent === true) return names.map(name => keys.held(name))
  return names.flatMap(name => [
    ...waiting > 0 ? [keys.open(name), keys.held(name)] : [],
    ...states.includes('failed') ? [keys.failed(name)] : []
  ])
}

async function lengthOf ({ redis }: RecordStore, indexes: readonly string[]): Promise<number> {
  const counts = await Promise.all(indexes.map(async index => await redis.zcard(index)))
  return counts.reduce((sum, count) => sum + count, 0)
}
