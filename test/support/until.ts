/** The one place where a condition is polled for: it ends, and says what it waited for. */
import { setTimeout as wait } from 'node:timers/promises'
import { hardLimitMs } from './limit.js'

/** Between two polls, milliseconds. */
const PAUSE_MS = 10
/** Of a test's limit: it fails by what it waited for, not by its time. */
const SHARE_OF_LIMIT = 0.8

/** What a poll finds while it is not yet so. */
type NotYet = undefined | false

type Poll<T> = () => Promise<T | NotYet> | T | NotYet

/**
 * Resolves with the first thing that a poll finds; `undefined` and `false` are
 * nothing. Rejects when a poll does, or when a test has no more time to wait.
 *
 * @param what  how the failure calls it; left out, it is the poll's own text
 */
export async function until<T> (...args: [poll: Poll<T>] | [what: string, poll: Poll<T>]): Promise<T> {
  const [what, poll] = args.length === 2 ? args : [args[0].toString(), args[0]]
  const deadline = performance.now() + hardLimitMs() * SHARE_OF_LIMIT
  const vain = new Error(`waited in vain for: ${what}`) // here, its stack tells who waits
  for (;;) {
    const found = await poll()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw vain
    await wait(PAUSE_MS)
  }
}
