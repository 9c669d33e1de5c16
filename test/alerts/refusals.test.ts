/** Which refused callbacks an operator is told of. */
import t from '../support/tap.js'
import { createRefusals } from '../../src/alerts/refusals.js'
import type { Fact } from '../../src/model/fact.js'

const HOUR_MS = 3_600_000

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
  ['another path', refused('path'), null],
  ['another fact', { fact: 'spool.mended' }, null]
]
for (const [says, fact, name] of TABLE) {
  t.test(`${says} is ${name ?? 'no alert'}`, async t => {
    const refusals = createRefusals()
    refusals.see(fact)
    t.strictSame(refusals.conditions().map(condition => condition.name), name === null ? [] : [name])
    t.notMatch(JSON.stringify(refusals.conditions()), /192\.0\.2/, 'and no address is shown')
  })
}

t.test('it lasts until none was refused for an hour, and counts anew after that', async t => {
  let now = 0
  const refusals = createRefusals(() => now)
  const see = (): void => { refusals.see(refused('size')) }
  see()
  t.match(refusals.conditions(), [{ summary: /^a callback was larger than ingest.maxBody/, figures: { callbacks: 1 } }])
  now = HOUR_MS - 1
  see()
  now = 2 * HOUR_MS - 2
  t.match(refusals.conditions(), [{ summary: /^each of 2 callbacks was larger/, figures: { callbacks: 2 } }])
  now = 2 * HOUR_MS
  t.strictSame(refusals.conditions(), [])
  see()
  t.match(refusals.conditions(), [{ figures: { callbacks: 1 } }])
})
