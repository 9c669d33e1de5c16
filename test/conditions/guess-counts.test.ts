/** When wrong tokens are too many to be mistakes. */
import t from '../support/tap.js'
import { createGuesses } from '../../src/conditions/guess-counts.js'
import type { CallerRefusal, Fact } from '../../src/model/fact.js'

const refused = (why: CallerRefusal): Fact => ({ fact: 'admin.refused', source: '192.0.2.1', why })

t.test('twenty within a minute, those that had to wait included, until there were none such for an hour', async t => {
  let now = 0
  const guesses = createGuesses(() => now)
  for (let n = 0; n < 10; n++) guesses.see(refused('wrong-token'))
  for (let n = 0; n < 9; n++) guesses.see(refused('must-wait'))
  t.equal(guesses.count(), 0)
  guesses.see(refused('must-wait'))
  t.equal(guesses.count(), 20)
  now += 90_000
  guesses.see(refused('wrong-token'))
  t.equal(guesses.count(), 21, 'what follows is counted with it')
  now = 60 * 60_000 - 1
  t.equal(guesses.count(), 21)
  now += 1
  t.equal(guesses.count(), 0)
  for (let n = 0; n < 20; n++) guesses.see(refused('wrong-token'))
  t.equal(guesses.count(), 20, 'and counted anew after it')
})

t.test('a few a minute for hours are mistakes, and so is anything but a new wrong token', async t => {
  let now = 0
  const guesses = createGuesses(() => now)
  for (let minute = 0; minute < 200; minute++) {
    for (let n = 0; n < 19; n++) guesses.see(refused('wrong-token'))
    for (let n = 0; n < 50; n++) for (const why of ['same-wrong-token', 'no-token', 'viewer'] as const) guesses.see(refused(why))
    guesses.see({ fact: 'spool.mended' })
    now += 60_000
  }
  t.equal(guesses.count(), 0)
})
