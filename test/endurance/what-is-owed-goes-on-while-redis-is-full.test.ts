/**
 * What drains runs on a full Redis: the scenes of
 * `test/journey/what-is-owed-goes-on.test.ts` once more, while a filler takes
 * every byte that they free.
 */
import t from '../support/tap.js'
import { DELIVERIES } from '../journey/fixtures/owed-deliveries.js'
import { ORDERS } from '../journey/fixtures/owed-orders.js'
import { setOwedStage } from '../journey/fixtures/owed-stage.js'

for (const { says, play } of [...DELIVERIES, ...ORDERS]) {
  t.test(says, async t => {
    const stage = await setOwedStage(t, 'full')
    await play(t, stage)
    await stage.stillFull()
  })
}
