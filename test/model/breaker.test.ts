/** What an attempt says of its subscriber, and how slowly one is tried. */
import t from '../support/tap.js'
import { limitsDuring, soundnessOf, type Limits, type Trial } from '../../src/model/breaker.js'
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

const LIMITS: ReadonlyArray<[trial: Trial | null, own: Limits, during: Limits]> = [
  [null, { concurrency: 16, rateLimit: null }, { concurrency: 16, rateLimit: null }],
  [{ state: 'half-open' }, { concurrency: 16, rateLimit: null }, { concurrency: 1, rateLimit: { max: 1, perMs: 1_000 } }],
  [{ state: 'half-open' }, { concurrency: 16, rateLimit: { max: 30, perMs: 60_000 } }, { concurrency: 1, rateLimit: { max: 30, perMs: 60_000 } }],
  [{ state: 'closing', perSecond: 8 }, { concurrency: 4, rateLimit: null }, { concurrency: 4, rateLimit: { max: 8, perMs: 1_000 } }],
  [{ state: 'closing', perSecond: 64 }, { concurrency: 4, rateLimit: { max: 50, perMs: 1_000 } }, { concurrency: 4, rateLimit: { max: 50, perMs: 1_000 } }]
]
for (const [trial, own, during] of LIMITS) {
  t.test(`${JSON.stringify(trial)} beside ${JSON.stringify(own.rateLimit)}`, async t => { t.strictSame(limitsDuring(trial, own), during) })
}
