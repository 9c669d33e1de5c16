/**
 * Follows an order to its end: a replay until nothing more is put back and
 * every delivery of it is delivered or has failed, a discard, a release or a
 * purge until nothing more is done.
 *
 * Only reads. The order goes on without anybody watching.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { AdminApi } from './admin-api.js'
import type { OrderAnswer } from '../admin/answers.js'
import { counted } from './counted.js'
import { CommandFailure } from './failure.js'
import type { Progress } from './progress.js'

/** Looked at often while it is young, then less and less. */
const FIRST_WAIT_MS = 100
const MAX_WAIT_MS = 2_000

export interface OrderEnd {
  order: OrderAnswer
  /** Why this end is not a good one; `null` when it is. */
  failure: CommandFailure | null
}

/** Resolves when it is over, or `atMostMs` milliseconds have passed; rejects when the gateway cannot be asked any more. */
export async function followOrder (
  api: AdminApi, id: string, { progress, atMostMs }: { progress: Progress, atMostMs: number }
): Promise<OrderEnd> {
  const started = performance.now()
  try {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, MAX_WAIT_MS)) {
      const order = await api.get<OrderAnswer>(`/replays/${encodeURIComponent(id)}`)
      if (isOver(order)) return { order, failure: failureOf(api, order) }
      if (performance.now() - started > atMostMs) return { order, failure: tooLong(api, order) }
      show(progress, order)
      await wait(waitMs)
    }
  } finally {
    progress.end()
  }
}

/** What an order has done that is over as soon as it is done, and what that is called; `null` for a replay. */
function doneBy ({ kind, queued, discarded = 0, purged = 0 }: OrderAnswer): { count: number, done: string } | null {
  if (kind === 'discard') return { count: discarded, done: 'discarded' }
  if (kind === 'release') return { count: queued, done: 'released' }
  return kind === 'purge' ? { count: purged, done: 'deleted' } : null
}

/** What changed meanwhile is not put back, so `queued` may stay below `matched`. */
function isOver (order: OrderAnswer): boolean {
  const { state, queued, delivered, failed, discarded = 0 } = order
  return state === 'cancelled' || (state === 'done' && (doneBy(order) !== null || delivered + failed + discarded >= queued))
}

function show (progress: Progress, order: OrderAnswer): void {
  const { matched, queued, delivered, failed } = order
  const own = doneBy(order)
  if (matched === null) progress.show(0, 1, 'counting')
  else if (own !== null) progress.show(own.count, matched, `${own.count} of ${matched} ${own.done}`)
  else progress.show(delivered + failed, Math.max(matched, queued), `${delivered} delivered, ${failed} failed, ${queued} of ${matched} put back`)
}

function tooLong (api: AdminApi, order: OrderAnswer): CommandFailure {
  const { id, state, queued, delivered, failed, discarded = 0 } = order
  if (state === 'running' && (doneBy(order) !== null || order.matched === null)) {
    const command = doneBy(order) === null ? 'replay' : order.kind
    return new CommandFailure(`${id} is not done yet; it continues`, { nextSteps: [`see how far it is with: ${api.command(`${command} --follow ${id}`)}`] })
  }
  const open = queued - delivered - failed - discarded
  return new CommandFailure(`${counted(open, 'delivery', 'deliveries')} of ${id} ${open === 1 ? 'is' : 'are'} still open; the replay continues`, {
    nextSteps: [`see what they wait for with: ${api.command('status')}`]
  })
}

function failureOf (api: AdminApi, { id, state, failed }: OrderAnswer): CommandFailure | null {
  if (state === 'cancelled') return new CommandFailure(`${id} was cancelled before its end`)
  if (failed === 0) return null
  return new CommandFailure(`${failed} of these deliveries failed again`, { nextSteps: [`see why with: ${api.command('events --state failed')}, then: ${api.command('show ID')}`] })
}
