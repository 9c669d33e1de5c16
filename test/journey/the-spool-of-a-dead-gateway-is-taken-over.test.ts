/**
 * Several gateways may be given one folder for their spools: each has its own
 * part of it, and what a dead one left another drains.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { allArrived, sendMany, statusesOf, type SpoolStage } from '../support/outage.js'
import type { Settings } from '../support/gateway.js'
import { logged, onRedis, setScene } from '../support/scene.js'

t.test('two gateways on one folder: each has its own part, and the one that lives takes over from the one that is killed', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscribers: SpoolStage['subscribers'] = [await scene.subscriber(), await scene.subscriber()]
  const shared = scene.home({})
  const settings: Settings = {
    ...onRedis(redis),
    spool: { dir: join(shared.dir, 'spool') },
    subscribers: subscribers.map(({ url }, at) => ({ name: `s${at}`, url }))
  }
  const [one, other] = [await scene.process(scene.home(settings)), await scene.process(scene.home(settings))]
  await redis.kill()
  const sent = [...await sendMany(one, 'one', 20), ...await sendMany(other, 'other', 20)]
  t.strictSame(statusesOf(sent), ['spooled'])
  t.equal(readdirSync(join(shared.dir, 'spool')).filter(name => /^0/.test(name)).length, 2)
  await one.kill()
  await redis.restart()
  t.match(await logged(other, ({ msg }) => msg === 'spool.found'), { callbacks: 20 }, 'and nobody restarted anything')
  await allArrived(t, { subscribers, gateway: other }, sent)
})
