/** Faults of servers behind a Sentinel are what their names say, and are over when they are ended. */
import t from '../../support/tap.js'
import { during, setStage, untilAnswered } from './fixtures/one-fault.js'
import type { Member, Sentinel } from '../../support/sentinel.js'
import { until } from '../../support/until.js'

/** A sentinel that saw the machine stand still does as it is told half a minute later: it is told again. */
async function untilSwitched (sentinel: Sentinel, before: Member): Promise<void> {
  await until('the order is taken, and carried out', async () => {
    if (await sentinel.primary() !== before) return true
    await sentinel.failOver().catch(() => {})
    return false
  })
}

for (const kind of ['sentinel.kill', 'sentinel.freeze', 'sentinel.switch', 'sentinel.replica-kill', 'sentinel.replica-freeze'] as const) {
  t.test(kind, async t => {
    const { stage, gateway } = await setStage(t, 'sentinel')
    const sentinel = stage.servers.sentinel!
    const before = await sentinel.primary()
    await during(stage, { kind, target: 0 }, async () => {
      if (kind.includes('replica')) await untilAnswered(gateway, 'spooled')
      else if (kind === 'sentinel.switch') await untilSwitched(sentinel, before)
      else await sentinel.failedOver(before)
    })
    await untilAnswered(gateway, 'accepted')
    t.strictSame(stage.noticed, [])
  })
}
