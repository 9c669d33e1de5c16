/** What an attempt says of its subscriber. */
import t from '../support/tap.js'
import { soundnessOf } from '../../src/model/breaker.js'
import type { Outcome } from '../../src/model/outcome.js'

const SAID: ReadonlyArray<[outcome: Outcome | null, said: ReturnType<typeof soundnessOf>]> = [
  [{ kind: 'delivered', status: 204 }, 'good'],
  [{ kind: 'retry', reason: 'rejected', status: 400 }, 'good'],
  [{ kind: 'retry', reason: 'rejected', status: 301 }, 'good'],
  [{ kind: 'failed', reason: 'gone', status: 410 }, 'good'],
  [{ kind: 'retry', reason: 'timeout' }, 'bad'],
  [{ kind: 'retry', reason: 'connection' }, 'bad'],
  [{ kind: 'retry', reason: 'rate-limited', status: 429 }, 'bad'],
  [{ kind: 'retry', reason: 'server-error', status: 503 }, 'bad'],
  [null, null]
]
for (const [outcome, said] of SAID) {
  t.test(`${JSON.stringify(outcome)} is ${said}`, async t => { t.equal(soundnessOf(outcome), said) })
}
