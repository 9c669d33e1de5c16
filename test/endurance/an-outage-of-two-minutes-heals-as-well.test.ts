/** The same for two minutes: nothing about an outage depends on its length. */
import t from '../support/tap.js'
import { OUTAGES, sitOut } from '../support/outage.js'

t.test('Redis is killed for 2 min: every callback is answered 200 meanwhile and delivered once', async t => {
  await sitOut(t, OUTAGES.killed, 120_000)
})
