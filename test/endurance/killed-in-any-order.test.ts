/**
 * Promises 1, 2 and 6: the gateway that takes callbacks, the one that delivers
 * and Redis are killed one after the other, in every order and under load, and
 * started again together. What was acknowledged arrives.
 */
import { setImmediate as turn } from 'node:timers/promises'
import t from '../support/tap.js'
import type { GatewayProcess } from '../support/gateway.js'
import { onRedis, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import { until } from '../support/until.js'

const SENDERS = 4
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

  const acknowledged = new Set<string>()
  let sent = 0
  let sending = true
  let over = false
  t.teardown(() => { sending = false; over = true })
  async function send (taskId: string): Promise<void> {
    while (!over) {
      const status = await gateways.ingest.post({ taskId, status: 1, type: 'x' }).then(answer => answer.status, () => 0)
      if (status === 200) {
        acknowledged.add(taskId)
        return
      }
      await turn() // it is down, or not yet up: the sender comes again
    }
  }
  const senders = Array.from({ length: SENDERS }, async () => { while (sending) await send(`t${sent++}`) })
  const acknowledgedMore = async (): Promise<void> => {
    const goal = acknowledged.size + BETWEEN
    await until(() => acknowledged.size >= goal || undefined)
  }

  for (const order of ORDERS) {
    let isTaking = true
    for (const name of order) {
      if (isTaking) await acknowledgedMore()
      if (name === 'ingest') isTaking = false
      await (name === 'redis' ? redis.kill() : gateways[name].kill())
    }
    // At once, in this order: whoever needs Redis waits for it.
    await Promise.all(order.map(async name => {
      if (name === 'redis') await redis.restart()
      else gateways[name] = await open(name)
    }))
    await acknowledgedMore()
    const seen = subscriber.received.length
    await subscriber.waitUntil(received => received.length > seen)
    t.pass(`${order.join(', ')}: callbacks are taken and delivered again`)
  }
  sending = false
  await Promise.all(senders)
  await until(() => { const arrived = new Set(tasksOf(subscriber)); return [...acknowledged].every(taskId => arrived.has(taskId)) || undefined })
  t.strictSame(await untilNothingIsOpen(gateways.ingest), { failed: 0 })
  t.comment(`${acknowledged.size} acknowledged, ${subscriber.received.length} deliveries`)
})
