/**
 * Whether a reload may drop subscribers for which deliveries wait.
 *
 * A file that was cut short looks like one from which they were taken out. So
 * it has to be said: by `--allow-removals`, or by asking again within a minute
 * with the same file.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.js'
import type { PlacedRefusal } from './fault.js'

/** Milliseconds. */
const AGAIN_WITHIN_MS = 60_000
/** As many names as one can read. */
const MOST_NAMES = 10

export interface RemovalCheck {
  /**
   * Decides for one reload.
   *
   * @param isAllowed  it was said that subscribers may go
   * @returns          why not; `null` when it may be taken up. Never rejects
   */
  refuse (change: { before: Config, after: Config }, isAllowed: boolean): Promise<PlacedRefusal | null>
}

export interface RemovalOptions {
  /** Of these subscribers those for which deliveries wait. Rejects when that is not known: then it may be all of them. */
  waitingFor: (names: readonly string[]) => Promise<readonly string[]>
  /** Milliseconds. */
  clock?: () => number
}

/** Makes the check of one gateway. */
export function createRemovalCheck ({ waitingFor, clock = () => performance.now() }: RemovalOptions): RemovalCheck {
  let refused: { config: Config, at: number } | null = null

  return {
    async refuse ({ before, after }, isAllowed) {
      const removed = removedBetween(before, after)
      const isAskedAgain = refused !== null && clock() - refused.at <= AGAIN_WITHIN_MS && isDeepStrictEqual(refused.config, after)
      refused = null
      if (removed.length === 0 || isAllowed || isAskedAgain) return null
      const waiting = await waitingFor(removed).catch(() => removed)
      if (waiting.length === 0) return null
      refused = { config: after, at: clock() }
      return refusalOf(waiting)
    }
  }
}

/** The names of the subscribers that go. */
export function removedBetween (before: Config, after: Config): string[] {
  const kept = new Set(after.subscribers.map(({ name }) => name))
  return before.subscribers.map(({ name }) => name).filter(name => !kept.has(name))
}

function refusalOf (waiting: readonly string[]): PlacedRefusal {
  const names = waiting.slice(0, MOST_NAMES).join(', ') + (waiting.length > MOST_NAMES ? ` and ${waiting.length - MOST_NAMES} more` : '')
  return {
    path: ['subscribers'],
    problem: `no longer has ${names}, and deliveries wait for ${waiting.length === 1 ? 'it' : 'them'}`,
    hint: 'put back what is missing; or, to hold what waits and collect no more, reload --allow-removals, or reload again within a minute'
  }
}
