/**
 * A clock that stands still while the machine does. One that is shared with
 * others halts now and then for a second or three, or its disk does: nothing
 * that is promised in milliseconds is broken by that.
 *
 * A thread of its own writes and syncs a byte again and again, so a test
 * process, or a gateway, that is only busy gets no time for it.
 */
import { Worker } from 'node:worker_threads'

/** A round of the thread takes no longer, nanoseconds. */
const USUAL = 60_000_000n

/** How long it stood still, when the last round ended, and how often these were written; nanoseconds. */
const shared = new BigInt64Array(new SharedArrayBuffer(24))
shared[1] = process.hrtime.bigint()
new Worker(new URL('steady.mjs', import.meta.url), { workerData: { shared, usual: USUAL }, execArgv: [] }).unref()

/** Milliseconds since some moment, without those in which the machine stood still. */
export function steadyNow (): number {
  for (;;) {
    const turn = Atomics.load(shared, 2)
    const [stoodStill, beat] = [Atomics.load(shared, 0), Atomics.load(shared, 1)]
    if (turn % 2n === 1n || turn !== Atomics.load(shared, 2)) continue
    const now = process.hrtime.bigint()
    const beyond = now - beat - USUAL
    return Number(now - stoodStill - (beyond > 0n ? beyond : 0n)) / 1e6
  }
}
