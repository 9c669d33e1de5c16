/**
 * The same for ten seconds, in which connections time out and are made anew
 * and every wait between two tries has reached its longest.
 */
import t from '../support/tap.js'
import { OUTAGES, sitOut } from '../support/outage.js'

for (const outage of [OUTAGES.killed, OUTAGES.frozen]) {
  t.test(`Redis ${outage.says} for 10 s: every callback is answered 200 meanwhile and delivered once`, async t => {
    await sitOut(t, outage, 10_000)
  })
}
