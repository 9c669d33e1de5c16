/** Who tries wrong tokens waits longer and longer; who makes a mistake does not. */
import t from '../support/tap.js'
import { createGuesses, sourceOf } from '../../src/admin/guesses.js'

const FREE = 10

t.test('ten mistakes are free, and then each new token doubles the wait, to an end', async t => {
  let now = 0
  const guesses = createGuesses(() => now)
  const waits: number[] = []
  for (let n = 0; n < FREE + 7; n++) {
    t.ok(guesses.take('a', `guess-${n}`))
    const wait = guesses.waitSeconds('a')
    waits.push(wait)
    now += wait * 1_000
    t.equal(guesses.waitSeconds('a'), 0, 'it has an end')
  }
  t.strictSame(waits, [...Array.from({ length: FREE }, () => 0), 1, 2, 4, 8, 16, 16, 16])
})

t.test('the same token again teaches nobody anything and costs nothing: a program that has an old one', async t => {
  const guesses = createGuesses(() => 0)
  t.ok(guesses.take('a', 'old'))
  for (let n = 0; n < 100; n++) t.notOk(guesses.take('a', 'old'))
  t.equal(guesses.waitSeconds('a'), 0)
})

t.test('each source waits for itself', async t => {
  const guesses = createGuesses(() => 0)
  for (let n = 0; n < 50; n++) guesses.take('a', `guess-${n}`)
  t.ok(guesses.waitSeconds('a') > 0)
  t.equal(guesses.waitSeconds('b'), 0)
})

t.test('it is forgotten after ten minutes without a new one', async t => {
  let now = 0
  const guesses = createGuesses(() => now)
  for (let n = 0; n < 50; n++) guesses.take('a', `guess-${n}`)
  now += 10 * 60_000
  guesses.take('a', 'guess-50')
  t.equal(guesses.waitSeconds('a'), 0)
})

t.test('sources beyond the thousandth push out the one that was quiet longest', async t => {
  const guesses = createGuesses(() => 0)
  for (const source of ['first', 'second']) for (let n = 0; n < FREE + 1; n++) guesses.take(source, `guess-${n}`)
  guesses.take('first', 'one more')
  for (let n = 0; n < 999; n++) guesses.take(`source-${n}`, 'a')
  t.ok(guesses.waitSeconds('first') > 0)
  t.equal(guesses.waitSeconds('second'), 0)
})

const SOURCES: ReadonlyArray<[remoteAddress: string | undefined, source: string]> = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  [undefined, 'unknown']
]
for (const [remoteAddress, source] of SOURCES) {
  t.test(`${remoteAddress} is ${source}`, async t => {
    t.equal(sourceOf(remoteAddress), source)
  })
}
