import t from '../support/tap.js'
import { throttleAfter } from '../../src/deliver/throttle.js'
import type { Outcome } from '../../src/model/outcome.js'

const TABLE: ReadonlyArray<[says: string, outcome: Outcome, throttleMs: number]> = [
  ['429 asks for a second', { kind: 'retry', reason: 'rate-limited', status: 429 }, 1_000],
  ['429 asks for what it says', { kind: 'retry', reason: 'rate-limited', status: 429, waitMs: 7_000 }, 7_000],
  ['429 may ask for nothing', { kind: 'retry', reason: 'rate-limited', status: 429, waitMs: 0 }, 0],
  ['what is asked is capped', { kind: 'retry', reason: 'rate-limited', status: 429, waitMs: 99_000 }, 60_000],
  ['503 asks for what it says', { kind: 'retry', reason: 'server-error', status: 503, waitMs: 7_000 }, 7_000],
  ['503 that says nothing asks for nothing', { kind: 'retry', reason: 'server-error', status: 503 }, 0],
  ['500 asks for nothing', { kind: 'retry', reason: 'server-error', status: 500, waitMs: 7_000 }, 0],
  ['a failed connection asks for nothing', { kind: 'retry', reason: 'connection' }, 0],
  ['delivered asks for nothing', { kind: 'delivered', status: 200 }, 0],
  ['gone asks for nothing', { kind: 'failed', reason: 'gone', status: 410 }, 0]
]
for (const [says, outcome, throttleMs] of TABLE) {
  t.test(says, async t => { t.equal(throttleAfter(outcome, 60_000), throttleMs) })
}
