/**
 * So many in a period, and then no more until the next.
 */
import t from '../support/tap.js'
import { createAllowance } from '../../src/ingest/allowance.js'

t.test('an allowance is spent, and comes back with the next period', async t => {
  let now = 1_000
  const allowance = createAllowance(2, 100, () => now)
  t.strictSame([allowance.take(), allowance.take(), allowance.take()], [true, true, false])
  now += 99
  t.equal(allowance.take(), false)
  now += 1
  t.strictSame([allowance.take(), allowance.take(), allowance.take()], [true, true, false])
})

t.test('a clock that is set back does not stop it', async t => {
  let now = 1_000_000
  const allowance = createAllowance(1, 100, () => now)
  t.equal(allowance.take(), true)
  now = 5
  t.equal(allowance.take(), true)
})
