/**
 * What the configuration says of subscribers is true of Redis, whatever became
 * of it there: holds that were lost come back, whoever is removed and has
 * nothing left is listed no more, and a bounded backlog stays within its bound.
 */
import t from '../support/tap.js'
import {
  accept, onRedis, replayed, seeDeliveries, seeSubscriber, setScene, tasksOf, untilNothingIsOpen
} from '../support/scene.js'
import { until } from '../support/until.js'

t.test('a hold of the configuration that Redis has lost is back by itself, and who is gone with all that was its own is listed no more', async t => {
  const scene = setScene(t)
  const [redis, one] = [await scene.redis(), await scene.subscriber()]
  const resting = { name: 'one', url: one.url, enabled: false }
  const settings = { ...onRedis(redis), subscribers: [resting] }
  const home = scene.home({ ...settings, subscribers: [resting, { name: 'gone', url: one.url, match: { types: ['none'] } }] })
  const gateway = await scene.inProcess(home)
  await accept(gateway, { taskId: 'waits' })
  t.match(await seeSubscriber(gateway, 'gone'), { name: 'gone' })

  home.configure(settings)
  await gateway.api('POST', '/api/v1/config/reload')
  await until('the removed one is listed no more', async () => await seeSubscriber(gateway, 'gone') === undefined)

  const lost = await redis.client().hdel('{relay}:subscriber:one', 'hold:disabled', 'heldSince')
  t.equal(lost, 2)
  await until('it is held again', async () => (await seeSubscriber(gateway, 'one'))?.heldBy === 'disabled')
  t.equal(one.received.length, 0)
})

t.test('beyond maxBacklog the oldest fail, and a replay delivers them', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const entry = { name: 'one', url: one.url }
  const home = scene.home({ subscribers: [{ ...entry, enabled: false, maxBacklog: 2 }] })
  const gateway = await scene.inProcess(home)
  for (const taskId of ['a', 'b', 'c', 'd']) await accept(gateway, { taskId })
  const failed = await until('two have failed', async () => {
    const found = await seeDeliveries(gateway, 'state=failed')
    return found.length === 2 ? found : undefined
  })
  t.strictSame(failed.map(({ taskId, lastError }) => [taskId, lastError]), [['b', 'backlog'], ['a', 'backlog']])

  home.configure({ subscribers: [entry] })
  await gateway.api('POST', '/api/v1/config/reload')
  await untilNothingIsOpen(gateway)
  t.strictSame(tasksOf(one).sort(), ['c', 'd'])
  t.match(await replayed(gateway, { subscriber: 'one', state: 'failed' }), { matched: 2, delivered: 2 })
  t.strictSame(tasksOf(one).sort(), ['a', 'b', 'c', 'd'])
})
