/**
 * Carries replays out, in the background: selects deliveries batch by batch
 * and puts them back in their queues. There is no second delivery path; from
 * here on a replayed delivery goes the way of every other.
 *
 * Any gateway may run a replay; a lock makes it one at a time. How far it has
 * come is noted in the same transaction as each batch, so a restart goes on
 * where the last batch ended.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import type { Report } from '../model/fact.js'
import { sortableId } from '../model/sortable-id.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Queues } from '../queue/queues.js'
import { REQUEUE, requeueArguments, type Requeue } from '../record/change-deliveries.js'
import { selectEvents } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { loadScript } from '../redis/script.js'
import { filterOf, meantBy } from './order.js'
import { finishReplay, readReplay, type Replay } from './replays.js'

const ADVANCE = loadScript(new URL('./advance.lua', import.meta.url))

/** Events of one batch. */
const BATCH = 200
const LOOK_EVERY_MS = 1_000
/** A gateway that crashed loses its replays to others after this long. */
const LOCK_MS = 10_000

export interface RunnerOptions {
  store: RecordStore
  queues: Queues
  subscribers: () => readonly Subscriber[]
  report: Report
}

export interface ReplayRunner {
  start (): void
  /** Looks for replays now instead of at the next round. */
  wake (): void
  /** Ends between two batches. */
  stop (): Promise<void>
}

/** Makes a runner; nothing runs before `start`. Errors of Redis end a round, never the runner. */
export function createReplayRunner (options: RunnerOptions): ReplayRunner {
  const token = randomUUID()
  const stopping = new AbortController()
  let awake = new AbortController()
  let loop: Promise<void> = Promise.resolve()

  async function run (): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await runAll(options, token, stopping.signal)
      } catch (error) {
        options.report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) })
      }
      await wait(LOOK_EVERY_MS, undefined, { signal: AbortSignal.any([awake.signal, stopping.signal]) }).catch(() => {})
      awake = new AbortController()
    }
  }

  return {
    start () { loop = run() },
    wake () { awake.abort() },
    async stop () {
      stopping.abort()
      await loop
    }
  }
}

async function runAll (options: RunnerOptions, token: string, stopping: AbortSignal): Promise<void> {
  const { redis, keys } = options.store
  for (const id of await redis.smembers(keys.runningReplays)) {
    if (stopping.aborted || !await takeLock(options.store, id, token)) continue
    try {
      await runOne(options, { id, token, stopping })
    } finally {
      if (await keepLock(options.store, id, token)) await redis.del(keys.replayLock(id))
    }
  }
}

async function takeLock ({ redis, keys }: RecordStore, id: string, token: string): Promise<boolean> {
  return await redis.set(keys.replayLock(id), token, 'PX', LOCK_MS, 'NX') === 'OK'
}

async function keepLock ({ redis, keys }: RecordStore, id: string, token: string): Promise<boolean> {
  if (await redis.get(keys.replayLock(id)) !== token) return false
  return await redis.pexpire(keys.replayLock(id), LOCK_MS) === 1
}

interface Run { id: string, token: string, stopping: AbortSignal }

async function runOne (options: RunnerOptions, { id, token, stopping }: Run): Promise<void> {
  const { store, report } = options
  for (;;) {
    const replay = await readReplay(store, id)
    if (replay === null || replay.state !== 'running' || stopping.aborted || !await keepLock(store, id, token)) return
    const started = performance.now()
    const batch = await putBackBatch(options, replay)
    if (batch.next === null) await finishReplay(store, id, 'done')
    const now = await readReplay(store, id)
    if (now !== null) report({ fact: 'replay.progress', replayId: id, queued: now.queued, matched: now.matched, state: now.state })
    if (batch.next === null) return
    await pace({ replay, size: batch.size, startedMs: started, stopping })
  }
}

/** One batch: found, put back and noted in one transaction. */
async function putBackBatch ({ store, queues, subscribers }: RunnerOptions, replay: Replay): Promise<{ next: number | null, size: number }> {
  const { order } = replay
  const known = subscribers()
  const cursor = Number(await store.redis.hget(store.keys.replay(replay.id), 'cursor'))
  const limit = order.ratePerSecond === null ? BATCH : Math.min(BATCH, order.ratePerSecond)
  const page = await selectEvents(store, filterOf(order, known), { limit, cursor })
  const meant = page.rows.flatMap(row => meantBy(order, row, known))
  const transaction = await queues.begin()
  transaction.run(ADVANCE, [store.keys.replay(replay.id)], [page.next ?? 0])
  transaction.run(REQUEUE, ...requeueArguments(store, meant, {
    replayId: replay.id,
    newWebhookId: order.newId ? () => 'evt_' + sortableId(Date.now()) : null
  }))
  for (const { subscriber, eventId, generation } of meant) transaction.addJob(subscriber, eventId, generation)
  await transaction.commit()
  await makeDue(queues, page.rows.flatMap(row => row.deliveries.filter(({ state }) => state === 'retrying')), meant)
  return { next: page.next, size: meant.length }
}

/** Retrying deliveries keep their job; it is told to run now. */
async function makeDue (queues: Queues, retrying: ReadonlyArray<{ eventId: string, subscriber: string }>, meant: readonly Requeue[]): Promise<void> {
  const waiting = new Set(retrying.map(({ eventId, subscriber }) => `${eventId} ${subscriber}`))
  for (const { eventId, subscriber, generation } of meant) {
    if (waiting.has(`${eventId} ${subscriber}`)) await queues.promote(subscriber, eventId, generation)
  }
}

/** Waits until the batch has taken the time it may take. */
async function pace ({ replay, size, startedMs, stopping }: { replay: Replay, size: number, startedMs: number, stopping: AbortSignal }): Promise<void> {
  if (replay.order.ratePerSecond === null) return
  const dueMs = size / replay.order.ratePerSecond * 1_000 - (performance.now() - startedMs)
  if (dueMs > 0) await wait(dueMs, undefined, { signal: stopping }).catch(() => {})
}
