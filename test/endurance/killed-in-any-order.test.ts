/**
 * Promises 1, 2 and 6: the gateway that takes callbacks, the one that delivers
 * and Redis are killed one after the other, in every order and under load, and
 * started again together. What was acknowledged arrives.
 */
import t from '../support/tap.js'
import { playFotor } from '../support/fotor.js'
import type { GatewayProcess } from '../support/gateway.js'
import { onRedis, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'

/** Acknowledged between two kills, at least. */
const BETWEEN = 15

type Name = 'ingest' | 'deliver' | 'redis'
const ORDERS: readonly Name[][] = [
  ['ingest', 'deliver', 'redis'], ['ingest', 'redis', 'deliver'], ['deliver', 'ingest', 'redis'],
  ['deliver', 'redis', 'ingest'], ['redis', 'ingest', 'deliver'], ['redis', 'deliver', 'ingest']
]

t.test('kill -9 of ingest, worker and Redis in every order: nothing acknowledged is lost or stuck', async t => {
  const scene = setScene(t)
  const [redis, subscriber] = [await scene.redis(), await scene.subscriber()]
  const settings = { ...onRedis(redis), subscribers: [{ name: 'one', url: subscriber.url, retry: { attempts: 50, initial: '50ms', factor: 1, max: '50ms' } }] }
  const homes = { ingest: scene.home(settings), deliver: scene.home(settings) }
  const open = async (role: 'ingest' | 'deliver'): Promise<GatewayProcess> => await scene.process(homes[role], ['--role', role])
  const gateways = { ingest: await open('ingest'), deliver: await open('deliver') }

  const fotor = playFotor(t, () => [gateways.ingest])
  for (const order of ORDERS) {
    let isTaking = true
    for (const name of order) {
      if (isTaking) await fotor.more(BETWEEN)
      if (name === 'ingest') isTaking = false
      await (name === 'redis' ? redis.kill() : gateways[name].kill())
    }
    // At once, in this order: whoever needs Redis waits for it.
    await Promise.all(order.map(async name => {
      if (name === 'redis') await redis.restart()
      else gateways[name] = await open(name)
    }))
    await fotor.more(BETWEEN)
    const seen = subscriber.received.length
    await subscriber.waitUntil(received => received.length > seen)
    t.pass(`${order.join(', ')}: callbacks are taken and delivered again`)
  }
  await fotor.stop()
  await subscriber.waitUntil(() => {
    const arrived = new Set(tasksOf(subscriber))
    return [...fotor.acknowledged].every(taskId => arrived.has(taskId))
  })
  t.strictSame(await untilNothingIsOpen(gateways.ingest), { failed: 0 })
  t.comment(`${fotor.acknowledged.size} acknowledged, ${subscriber.received.length} deliveries`)
})
