/** Faults of a Cluster are what their names say, and are over when they are ended. */
import t from '../../support/tap.js'
import { during, setStage, untilAnswered } from './fixtures/one-fault.js'
import { until } from '../../support/until.js'

t.test('a primary is killed and frozen, a slot stops half-way, a replica is killed', async t => {
  const { stage, gateway } = await setStage(t, 'cluster')
  const cluster = stage.servers.cluster!
  for (const kind of ['cluster.kill', 'cluster.freeze', 'cluster.slot-moves', 'cluster.replica-kill'] as const) {
    const before = await cluster.ownerOf('{relay}:events')
    await during(stage, { kind, target: 0 }, async () => {
      if (kind === 'cluster.slot-moves' || kind === 'cluster.replica-kill') await untilAnswered(gateway, 'spooled')
      else await until(async () => await cluster.ownerOf('{relay}:events') !== before || undefined)
    })
    if (kind === 'cluster.slot-moves') t.not(await cluster.ownerOf('{relay}:events'), before)
    await untilAnswered(gateway, 'accepted')
  }
  t.strictSame(stage.noticed, [])
})
