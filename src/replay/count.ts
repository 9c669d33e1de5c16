/**
 * Counts what an order means, in short steps: a dry run only so far, whoever
 * carries an order out to the end.
 */
import type { DeliveryState } from '../model/delivery.js'
import type { Subscriber } from '../model/subscriber.js'
import { readHolds } from '../record/holds.js'
import { selectEvents, type Filter } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { filterOf, type Order } from './order.js'
import { meantIn } from './missing.js'

/** Rows of one step, at most. */
const STEP_ROWS = 500
/** A dry run counts no further than this … */
const DRY_RUN_COUNTS = 10_000
/** … and takes no more steps than this: each looks at a thousand events, about. */
const DRY_RUN_STEPS = 200

/** How far {@link countSoFar} goes. */
export interface CountBounds {
  /** Those of the running configuration. */
  subscribers: readonly Subscriber[]
  counts?: number
  steps?: number
}

/** Where {@link countStep} begins. */
export interface CountPlace {
  /** Only events with a sequence below it; `null` begins with the newest. */
  cursor: number | null
}

/**
 * One step: about a thousand events, a dozen milliseconds of Redis's time.
 *
 * @returns how many deliveries of them are meant, and where to go on; `null` at the end
 */
export async function countStep (
  store: RecordStore, order: Order, { cursor, subscribers }: CountPlace & { subscribers: readonly Subscriber[] }
): Promise<{ matched: number, next: number | null }> {
  const filter = filterOf(order, subscribers)
  const indexes = order.kind === 'discard' || order.state === 'failed' ? await indexesThatTell(store, filter) : null
  if (indexes !== null) return { matched: await lengthOf(store, indexes), next: null }
  const page = await selectEvents(store, filter, { limit: STEP_ROWS, cursor, budgetMs: 0 })
  return { matched: (await meantIn({ store, order, subscribers }, page.rows)).length, next: page.next }
}

/**
 * Counts for a dry run, in bounded time.
 *
 * @returns how many are meant; with `atLeast` when there may be more: it stopped before the end
 */
export async function countSoFar (
  store: RecordStore, order: Order, { subscribers, counts = DRY_RUN_COUNTS, steps = DRY_RUN_STEPS }: CountBounds
): Promise<{ matched: number, atLeast?: true }> {
  let matched = 0
  let cursor: number | null = null
  for (let taken = 0; taken < steps && matched < counts; taken++) {
    const step = await countStep(store, order, { cursor, subscribers })
    matched += step.matched
    cursor = step.next
    if (cursor === null) return { matched }
  }
  return { matched, atLeast: true }
}

/** What waits, for whatever reason. */
const WAITING: readonly DeliveryState[] = ['queued', 'retrying', 'held']

/** Nothing but "failed" or "whatever waits", of some subscribers: the indexes know. `null` when they do not. */
async function indexesThatTell (store: RecordStore, { subscribers, states = [], ...others }: Filter): Promise<string[] | null> {
  const waiting = WAITING.filter(state => states.includes(state)).length
  if (Object.keys(others).length > 0 || (waiting > 0 && waiting < WAITING.length)) return null
  const { keys } = store
  const names = subscribers ?? [...(await readHolds(store)).keys()]
  return names.flatMap(name => [
    ...waiting > 0 ? [keys.open(name), keys.held(name)] : [],
    ...states.includes('failed') ? [keys.failed(name)] : []
  ])
}

async function lengthOf ({ redis }: RecordStore, indexes: readonly string[]): Promise<number> {
  const counts = await Promise.all(indexes.map(async index => await redis.zcard(index)))
  return counts.reduce((sum, count) => sum + count, 0)
}
