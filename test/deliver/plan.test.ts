import t from '../support/tap.js'
import fc from 'fast-check'
import { planNext, type PlanInput } from '../../src/deliver/plan.js'
import type { Outcome } from '../../src/model/outcome.js'
import type { RetryPolicy } from '../../src/model/subscriber.js'
import type { NextState } from '../../src/model/work.js'

const HOUR = 3_600_000
const BACKOFF: RetryPolicy = { kind: 'backoff', attempts: 20, initialMs: 5_000, factor: 3, maxMs: 6 * HOUR, jitter: 0.2 }
const LIST: RetryPolicy = { kind: 'list', waitsMs: [5_000, 60_000, 600_000], maxMs: 6 * HOUR }
const RETRY = { kind: 'retry', reason: 'server-error', status: 500 } as const

function asked (waitMs: number): Outcome {
  return { ...RETRY, waitMs }
}

function standing (changes: Partial<PlanInput> = {}): PlanInput {
  return { policy: BACKOFF, budgetUsed: 1, ageMs: 0, maxAgeMs: 72 * HOUR, random: 0.5, ...changes }
}

function after (waitMs: number): NextState {
  return { state: 'retrying', waitMs }
}

const TABLE: ReadonlyArray<[says: string, outcome: Outcome, given: Partial<PlanInput>, next: NextState]> = [
  ['delivered is delivered, however old', { kind: 'delivered', status: 200 }, { budgetUsed: 20, ageMs: 99 * HOUR }, { state: 'delivered' }],
  ['gone is failed', { kind: 'failed', reason: 'gone', status: 410 }, {}, { state: 'failed', reason: 'gone' }],

  ['the first wait is `initial`', RETRY, {}, after(5_000)],
  ['each wait is the one before times `factor`', RETRY, { budgetUsed: 4 }, after(135_000)],
  ['no planned wait grows beyond `max`', RETRY, { budgetUsed: 15 }, after(6 * HOUR)],
  ['jitter shortens by its share at most', RETRY, { random: 0 }, after(4_000)],
  ['jitter lengthens by its share at most', RETRY, { random: 1 }, after(6_000)],
  ['the last attempt of the budget is the last', RETRY, { budgetUsed: 20 }, { state: 'failed', reason: 'exhausted' }],
  ['the one before is not', RETRY, { budgetUsed: 19 }, after(6 * HOUR)],
  ['one attempt is one attempt', RETRY, { policy: { ...BACKOFF, attempts: 1 } }, { state: 'failed', reason: 'exhausted' }],

  ['a list gives its first wait', RETRY, { policy: LIST, random: 0 }, after(5_000)],
  ['a list gives its last wait', RETRY, { policy: LIST, budgetUsed: 3 }, after(600_000)],
  ['a list is one attempt longer than its waits', RETRY, { policy: LIST, budgetUsed: 4 }, { state: 'failed', reason: 'exhausted' }],
  ['an empty list is one attempt', RETRY, { policy: { ...LIST, waitsMs: [] } }, { state: 'failed', reason: 'exhausted' }],

  ['no sooner than Retry-After', asked(30_000), {}, after(30_000)],
  ['Retry-After does not hasten', asked(1_000), {}, after(5_000)],
  ['Retry-After is capped at `max`', asked(99 * HOUR), {}, after(6 * HOUR)],
  ['Retry-After holds for a list too, capped', asked(99 * HOUR), { policy: LIST }, after(6 * HOUR)],
  ['an endless Retry-After is capped', asked(Infinity), {}, after(6 * HOUR)],

  ['a retry that would begin after maxAge is not planned', RETRY, { ageMs: 72 * HOUR - 4_999 }, { state: 'failed', reason: 'expired' }],
  ['a retry that begins exactly at maxAge is', RETRY, { ageMs: 72 * HOUR - 5_000 }, after(5_000)],
  ['Retry-After beyond maxAge expires', asked(2 * HOUR), { maxAgeMs: HOUR }, { state: 'failed', reason: 'expired' }],
  ['a used up budget is said before age', RETRY, { budgetUsed: 20, ageMs: 99 * HOUR }, { state: 'failed', reason: 'exhausted' }]
]
for (const [says, outcome, given, next] of TABLE) {
  t.test(says, async t => { t.strictSame(planNext(outcome, standing(given)), next) })
}

t.test('the defaults go on for about 70 hours', async t => {
  let waited = 0
  for (let budgetUsed = 1; budgetUsed < 20; budgetUsed++) {
    const next = planNext(RETRY, standing({ budgetUsed, ageMs: waited }))
    if (next.state === 'retrying') waited += next.waitMs
  }
  t.ok(waited > 69 * HOUR && waited < 72 * HOUR, `${waited / HOUR} h`)
})

t.test('whatever is asked and whatever the dice, an attempt is planned within its bounds, in whole milliseconds', async () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 19 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1e9), (budgetUsed, random, waitMs) => {
    const next = planNext(asked(waitMs), standing({ budgetUsed, random, maxAgeMs: Infinity }))
    if (next.state !== 'retrying') return false
    const wait = next.waitMs
    return Number.isInteger(wait) && wait >= Math.min(waitMs, 6 * HOUR) && wait >= 4_000 && wait <= 7.2 * HOUR
  }))
})
