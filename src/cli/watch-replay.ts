/**
 * Follows a replay to its end: until nothing more is put back and every
 * delivery of it is delivered or has failed.
 *
 * Only reads. The replay goes on without anybody watching.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { AdminApi } from './admin-api.js'
import type { ReplayAnswer } from '../admin/answers.js'
import { counted } from './counted.js'
import { CommandFailure } from './failure.js'
import type { Progress } from './progress.js'

/** Looked at often while it is young, then less and less. */
const FIRST_WAIT_MS = 100
const MAX_WAIT_MS = 2_000

export interface ReplayEnd {
  replay: ReplayAnswer
  /** Why this end is not a good one; `null` when everything was delivered. */
  failure: CommandFailure | null
}

/** Resolves when it is over, or `atMostMs` milliseconds have passed; rejects when the gateway cannot be asked any more. */
export async function watchReplay (
  api: AdminApi, id: string, { progress, atMostMs }: { progress: Progress, atMostMs: number }
): Promise<ReplayEnd> {
  const started = performance.now()
  try {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, MAX_WAIT_MS)) {
      const replay = await api.get<ReplayAnswer>(`/replays/${id}`)
      const { matched, queued, delivered, failed } = replay
      if (isOver(replay)) return { replay, failure: failureOf(api, replay) }
      if (performance.now() - started > atMostMs) return { replay, failure: tooLong(api, replay) }
      progress.show(delivered + failed, Math.max(matched, queued), `${delivered} delivered, ${failed} failed, ${queued} of ${matched} put back`)
      await wait(waitMs)
    }
  } finally {
    progress.end()
  }
}

/** What changed meanwhile is not put back, so `queued` may stay below `matched`. */
function isOver ({ state, queued, delivered, failed, discarded = 0 }: ReplayAnswer): boolean {
  return state === 'cancelled' || (state === 'done' && delivered + failed + discarded >= queued)
}

function tooLong (api: AdminApi, { id, queued, delivered, failed }: ReplayAnswer): CommandFailure {
  const open = queued - delivered - failed
  return new CommandFailure(`${counted(open, 'delivery', 'deliveries')} of ${id} ${open === 1 ? 'is' : 'are'} still open; the replay continues`, {
    nextSteps: [`see why they wait with: ${api.command('status')}`]
  })
}

function failureOf (api: AdminApi, { id, state, failed }: ReplayAnswer): CommandFailure | null {
  if (state === 'cancelled') return new CommandFailure(`${id} was cancelled before it was done`)
  if (failed === 0) return null
  return new CommandFailure(`${failed} of these deliveries failed again`, { nextSteps: [`see why with: ${api.command('events --state failed')}, then: ${api.command('show ID')}`] })
}
