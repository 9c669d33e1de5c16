/**
 * Carries orders out, in the background: counts what they mean, then goes
 * through it batch by batch. There is no second delivery path: a replayed
 * delivery is put back in its queue, and goes the way of every other.
 *
 * Any gateway that delivers may run an order; a lock makes it one at a time.
 * Several orders run side by side, so that a slow one keeps nobody waiting. How
 * far each has come is noted in the same step as each batch, so a restart goes
 * on where the last batch ended.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import type { Report } from '../model/fact.js'
import { keepFor } from '../record/keep.js'
import type { RecordStore } from '../record/store.js'
import { repeat, type Repeated } from '../time/repeat.js'
import { carryOutBatch, countMore, type Batch, type CarryOutOptions } from './carry-out.js'
import type { Order } from './order.js'
import { finishOrder, readOrder, runningOrders } from './orders.js'

const POLL_EVERY_MS = 1_000
/** A gateway that crashed loses its orders to others after this long. */
const LOCK_MS = 10_000
/** A slow order renews its lock this often while it waits. */
const RENEW_LOCK_MS = LOCK_MS / 4
/** An order begins when whoever gave it has been answered. */
const REST_BEFORE_MS = 10

export interface RunnerOptions extends CarryOutOptions { report: Report }

export interface OrderRunner {
  start (): void
  /** Looks for orders now instead of at the next round. */
  wake (): void
  /** Ends between two batches. */
  stop (): Promise<void>
}

/** Makes a runner; nothing runs before `start`. Errors of Redis end a round, never the runner. */
export function createOrderRunner (options: RunnerOptions): OrderRunner {
  const token = randomUUID()
  const stopping = new AbortController()
  let polls: Repeated | undefined
  /** The orders that run in this process, by id. */
  const running = new Map<string, Promise<void>>()

  function trouble (error: unknown): void {
    options.report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) })
  }

  async function poll (): Promise<void> {
    for (const id of await runningOrders(options.store)) {
      if (running.has(id)) continue
      const run = runAlone(options, { id, token, stopping: stopping.signal })
      running.set(id, run.catch(trouble).finally(() => { running.delete(id) }))
    }
  }

  return {
    start () { polls = repeat(poll, { everyMs: () => POLL_EVERY_MS, failed: trouble, now: true }) },
    wake () { polls?.wake() },
    async stop () {
      stopping.abort()
      await polls?.stop()
      await Promise.all(running.values())
    }
  }
}

/** Runs an order unless another runner does. */
async function runAlone (options: RunnerOptions, run: Run): Promise<void> {
  const { store } = options
  const { id, token, stopping } = run
  if (stopping.aborted || !await takeLock(store, id, token)) return
  try {
    await runOne(options, run)
  } finally {
    if (await keepLock(store, id, token)) await store.redis.del(store.keys.replayLock(id))
  }
}

/** Takes the lock, or finds that this runner has it still: an error left it. */
async function takeLock (store: RecordStore, id: string, token: string): Promise<boolean> {
  const lock = { text: token, ms: LOCK_MS, when: 'absent' } as const
  return await keepFor(store, store.keys.replayLock(id), lock) || await keepLock(store, id, token)
}

async function keepLock ({ redis, keys }: RecordStore, id: string, token: string): Promise<boolean> {
  if (await redis.get(keys.replayLock(id)) !== token) return false
  return await redis.pexpire(keys.replayLock(id), LOCK_MS) === 1
}

interface Run { id: string, token: string, stopping: AbortSignal }

async function runOne (options: RunnerOptions, run: Run): Promise<void> {
  const { store, report } = options
  let restMs = REST_BEFORE_MS
  for (;;) {
    await waitUntil(performance.now() + restMs, { store, ...run })
    const order = await readOrder(store, run.id)
    if (order === null || order.state !== 'running' || run.stopping.aborted || !await keepLock(store, run.id, run.token)) return
    const started = performance.now()
    if (order.order === null) {
      await finishOrder(store, run.id, 'cancelled')
      return report({ fact: 'queue.trouble', subscriber: null, error: `${run.id} cannot be read, and is cancelled: give the order again` })
    }
    const placed = { id: run.id, order: order.order }
    if (order.matched === null) {
      await countMore(options, placed)
      restMs = performance.now() - started
      continue
    }
    const batch = await carryOutBatch(options, placed)
    if (batch.next === null) await finishOrder(store, run.id, 'done')
    await tell(store, run.id, report)
    if (batch.next === null) return
    restMs = restAfter(placed.order, batch, performance.now() - started)
  }
}

/** What is to be sent is put back as fast as it may; nobody waits for the others, which leave as much time as they take. */
function restAfter (order: Order, { size }: Batch, tookMs: number): number {
  if (order.kind === 'release') return 0
  if (order.kind !== 'replay') return tookMs
  return order.ratePerSecond === null ? 0 : Math.max(0, size / order.ratePerSecond * 1_000 - tookMs)
}

async function tell (store: RecordStore, id: string, report: Report): Promise<void> {
  const now = await readOrder(store, id)
  if (now === null) return
  const { kind, queued, discarded, purged, state } = now
  const matched = now.matched ?? 0
  if (kind === 'replay') report({ fact: 'replay.progress', replayId: id, queued, matched, state })
  else if (kind === 'discard') report({ fact: 'discard.progress', orderId: id, discarded, matched, state })
  else if (kind === 'release') report({ fact: 'release.progress', orderId: id, queued, matched, state })
  else report({ fact: 'purge.progress', orderId: id, purged, matched, state })
}

/** Waits for the next step; holds the lock meanwhile. */
async function waitUntil (dueMs: number, { store, id, token, stopping }: Run & { store: RecordStore }): Promise<void> {
  for (;;) {
    const restMs = dueMs - performance.now()
    if (restMs <= 0 || stopping.aborted || !await keepLock(store, id, token)) return
    await wait(Math.min(restMs, RENEW_LOCK_MS), undefined, { signal: stopping }).catch(() => {})
  }
}
