/** Which refused callbacks an operator is told of. */
import t from '../support/tap.js'
import { conditionsOf } from '../../src/conditions/list.js'
import { createRefusals, type Refusals } from '../../src/conditions/refusal-counts.js'
import type { Condition } from '../../src/model/alert.js'
import type { Fact } from '../../src/model/fact.js'
import { STATE } from './state.js'

const HOUR_MS = 3_600_000

const conditions = (refusals: Refusals): Condition[] => conditionsOf({ ...STATE, refusals: refusals.counts(), misdirected: refusals.misdirected() })

const refused = (reason: string, more: object = {}): Fact => ({ fact: 'callback.refused', status: 400, reason, source: '192.0.2.7', ...more })

const TABLE: ReadonlyArray<[says: string, fact: Fact, name: string | null]> = [
  ['what looks like a callback from a stranger', refused('address', { sampled: true }), 'callbacks-denied'],
  ['anything else from a stranger', refused('address', { sampled: false }), null],
  ['what cannot be read', refused('content'), 'callbacks-unreadable'],
  ['what is compressed', refused('encoding'), 'callbacks-unreadable'],
  ['what is too large', refused('size'), 'callbacks-too-large'],
  ['what is too large, of a stranger who is let through', refused('size', { unlisted: true }), null],
  ['what cannot be read, of a stranger who is let through', refused('content', { unlisted: true }), null],
  ['what was cut off', refused('cut-off'), null],
  ...['headers', 'path', 'method', 'rate', 'not-http'].map((reason): [string, Fact, string] => [`a refusal for its ${reason}`, refused(reason), 'callbacks-misdirected']),
  ['another path, of a stranger who is let through', refused('path', { unlisted: true }), null],
  ['what is late because of us', refused('not-http', { status: 503 }), null],
  ['another fact', { fact: 'spool.mended' }, null]
]
for (const [says, fact, name] of TABLE) {
  t.test(`${says} is ${name ?? 'no alert'}`, async t => {
    const refusals = createRefusals()
    refusals.see(fact)
    t.strictSame(conditions(refusals).map(condition => condition.name), name === null ? [] : [name])
    t.notMatch(JSON.stringify(conditions(refusals)), /192\.0\.2/, 'and no address is shown')
  })
}

t.test('what was misdirected is counted by how it was', async t => {
  let now = 0
  const refusals = createRefusals(() => now)
  for (const fact of [refused('path', { hint: 'slashes' }), refused('path'), refused('path', { hint: 'slashes' }), refused('size')]) refusals.see(fact)
  t.strictSame(refusals.misdirected(), [{ reason: 'path', hint: 'slashes', count: 2 }, { reason: 'path', hint: null, count: 1 }])
  t.match(conditions(refusals).find(({ name }) => name === 'callbacks-misdirected'), { figures: { requests: 3 } })
  now = HOUR_MS
  refusals.see(refused('rate'))
  t.strictSame(refusals.misdirected(), [{ reason: 'rate', hint: null, count: 1 }], 'it begins anew when it was over')
})

t.test('it lasts until none was refused for an hour, and counts anew after that', async t => {
  let now = 0
  const refusals = createRefusals(() => now)
  const see = (): void => { refusals.see(refused('size')) }
  see()
  t.match(conditions(refusals), [{ summary: /^a callback was larger than ingest.maxBody/, figures: { callbacks: 1 } }])
  now = HOUR_MS - 1
  see()
  now = 2 * HOUR_MS - 2
  t.match(conditions(refusals), [{ summary: /^each of 2 callbacks was larger/, figures: { callbacks: 2 } }])
  now = 2 * HOUR_MS
  t.strictSame(conditions(refusals), [])
  see()
  t.match(conditions(refusals), [{ figures: { callbacks: 1 } }])
})
