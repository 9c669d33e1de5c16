/**
 * Decides for each callback: Redis, or the disk.
 *
 * Promises an answer within 1.5 s if the disk syncs in time, and at once if
 * Redis is known to be away. Never keeps a callback that could never be
 * accepted: an unreadable callback is refused in either case.
 */
import type { Report } from '../../model/fact.js'
import { within } from '../../time/within.js'
import type { Accept, Acceptance, Arrival } from '../arrival.js'
import { readIdentity } from '../identity.js'
import type { RedisBreaker } from './breaker.js'
import type { Stock } from './stock.js'

/** Maximum wait for an answer of Redis, milliseconds. */
export const ANSWER_WITHIN_MS = 1_000

export interface AcceptOrKeepOptions {
  /** {@link inTime} */
  accept: Accept
  breaker: RedisBreaker
  stock: Stock
  /** Top-level fields that do not count as content; read for every arrival. */
  ignoreFields: () => readonly string[]
  /** Called after a callback was kept that Redis may take at once. */
  onKept: () => void
  report: Report
}

/** Gives up on an answer of Redis after this time, milliseconds. If the answer still comes, the kept callback is a duplicate. */
export function inTime (accept: Accept, withinMs = ANSWER_WITHIN_MS): Accept {
  return async arrival =>
    await within(withinMs, accept(arrival), (): Acceptance => ({ kind: 'unavailable', reason: `no answer within ${withinMs} ms` }))
}

/** Makes the function that accepts or keeps; it never rejects. */
export function acceptOrKeep ({ accept, breaker, stock, ignoreFields, onKept, report }: AcceptOrKeepOptions): Accept {
  async function keep (arrival: Arrival): Promise<Acceptance> {
    const kept = await stock.keep(arrival)
    if (kept.kind === 'kept') {
      if (breaker.state() !== 'open') onKept()
      return { kind: 'spooled' }
    }
    const reason = `neither Redis nor the spool takes it: ${kept.reason}`
    report({ fact: 'accept.unavailable', reason })
    return { kind: 'unavailable', reason }
  }

  return async arrival => {
    const pass = breaker.enter()
    if (pass === null) {
      const reading = readIdentity(arrival.body, ignoreFields())
      return reading.kind === 'unreadable' ? reading : await keep(arrival)
    }
    const acceptance = await accept(arrival)
    switch (acceptance.kind) {
      case 'accepted':
      case 'duplicate':
        pass.worked()
        return acceptance
      case 'unavailable':
        pass.failed(acceptance.reason)
        return await keep(arrival)
      case 'unreadable':
      case 'spooled':
        pass.unclear()
        return acceptance
    }
  }
}
