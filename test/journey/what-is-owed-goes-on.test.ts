/**
 * Whatever befalls those who deliver and those to whom they do, and whatever
 * operators order: what was accepted goes on. The endurance tier plays the same
 * while Redis is full.
 */
import t from '../support/tap.js'
import { DELIVERIES } from './fixtures/owed-deliveries.js'
import { ORDERS } from './fixtures/owed-orders.js'
import { setOwedStage } from './fixtures/owed-stage.js'

for (const { says, play } of [...DELIVERIES, ...ORDERS]) {
  t.test(says, async t => { await play(t, await setOwedStage(t, 'room')) })
}
