/**
 * Carries replays out, in the background: selects deliveries batch by batch
 * and puts them back in their queues. There is no second delivery path; from
 * here on a replayed delivery goes the way of every other.
 *
 * Any gateway may run a replay; a lock makes it one at a time. Several replays
 * run side by side, so that a slow one keeps nobody waiting. How far each has
 * come is noted in the same step as each batch, so a restart goes on where the
 * last batch ended.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import type { Report } from '../model/fact.js'
import { sortableId } from '../model/sortable-id.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Queues } from '../queue/bullmq/queues.js'
import { selectEvents } from '../record/select.js'
import type { RecordStore } from '../record/store.js'
import { runDraining } from '../redis/drain.js'
import { repeat, type Repeated } from '../time/repeat.js'
import { filterOf } from './order.js'
import { meantIn } from './missing.js'
import { putBack, type Requeue } from './put-back.js'
import { finishReplay, readReplay, type Replay } from './replays.js'

/** Deliveries of one batch, about: one event may have more. */
const BATCH = 200
const POLL_EVERY_MS = 1_000
/** A gateway that crashed loses its replays to others after this long. */
const LOCK_MS = 10_000
/** A slow replay renews its lock this often while it waits. */
const RENEW_LOCK_MS = LOCK_MS / 4

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
  let polls: Repeated | undefined
  /** The replays that run in this process, by id. */
  const running = new Map<string, Promise<void>>()

  function trouble (error: unknown): void {
    options.report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) })
  }

  async function poll (): Promise<void> {
    const { redis, keys } = options.store
    for (const id of await redis.smembers(keys.runningReplays)) {
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

/** Runs a replay unless another runner does. */
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
  const { redis, keys } = store
  const [taken] = await runDraining(redis, keys.replayLock(id), [['SET', keys.replayLock(id), token, 'PX', LOCK_MS, 'NX']])
  return taken === 'OK' || await keepLock(store, id, token)
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
    const { ratePerSecond } = replay.order
    if (ratePerSecond === null) continue
    await waitUntil(started + batch.size / ratePerSecond * 1_000, { store, id, token, stopping })
  }
}

/** One batch: found, then put back and noted in one step. */
async function putBackBatch ({ store, queues, subscribers }: RunnerOptions, replay: Replay): Promise<{ next: number | null, size: number }> {
  const { order } = replay
  const known = subscribers()
  const cursor = Number(await store.redis.hget(store.keys.replay(replay.id), 'cursor'))
  const filter = filterOf(order, known)
  const deliveries = Math.min(BATCH, order.ratePerSecond ?? BATCH)
  const limit = Math.max(1, Math.floor(deliveries / Math.max(1, filter.subscribers?.length ?? 1)))
  const page = await selectEvents(store, filter, { limit, cursor })
  const meant = await meantIn({ store, order, subscribers: known }, page.rows)
  await putBack({ store, queues }, meant, {
    replayId: replay.id,
    newWebhookId: order.newId ? () => 'evt_' + sortableId(Date.now()) : null,
    cursor: page.next ?? 0
  })
  await makeDue(queues, page.rows.flatMap(row => row.deliveries.filter(({ state }) => state === 'retrying')), meant)
  return { next: page.next, size: meant.length }
}

/** Retrying deliveries keep their job; it is told to run now. */
async function makeDue (queues: Queues, retrying: ReadonlyArray<{ eventId: string, subscriber: string }>, meant: readonly Requeue[]): Promise<void> {
  const waiting = new Set(retrying.map(({ eventId, subscriber }) => `${eventId} ${subscriber}`))
  const due = meant.filter(({ eventId, subscriber }) => waiting.has(`${eventId} ${subscriber}`))
  for (const name of new Set(due.map(({ subscriber }) => subscriber))) await queues.makeDue(name, due.filter(({ subscriber }) => subscriber === name))
}

/** Waits until a batch has taken the time it may take; holds the lock meanwhile. */
async function waitUntil (dueMs: number, { store, id, token, stopping }: Run & { store: RecordStore }): Promise<void> {
  for (;;) {
    const restMs = dueMs - performance.now()
    if (restMs <= 0 || stopping.aborted || !await keepLock(store, id, token)) return
    await wait(Math.min(restMs, RENEW_LOCK_MS), undefined, { signal: stopping }).catch(() => {})
  }
}
