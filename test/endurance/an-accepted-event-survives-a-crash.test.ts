/**
 * Promise 1: acknowledged means safe. The gateway is killed with SIGKILL at
 * random moments under load while the sender retries until it gets a 200, as
 * Fotor does. Nothing acknowledged is missing at any subscriber, nothing is
 * stuck. The living Redis of a killed gateway is adopted by the next.
 */
import t from '../support/tap.js'
import { playFotor } from '../support/fotor.js'
import { setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'

const CRASHES = 20
/** Callbacks acknowledged between two crashes, at most. */
const MOST_BETWEEN = 60
const SENDERS = 8

t.test('kill -9 of the gateway at 20 random moments under load', async t => {
  const scene = setScene(t)
  const subscribers = [await scene.subscriber(), await scene.subscriber()]
  const home = scene.home({
    log: { level: 'info' },
    subscribers: subscribers.map(({ url }, at) => ({ name: `s${at}`, url, retry: { attempts: 20, initial: '50ms', factor: 1, max: '50ms' } }))
  })
  let gateway = await scene.process(home)
  const fotor = playFotor(t, () => [gateway], { senders: SENDERS })
  const servers = new Set<unknown>()
  for (let crash = 0; crash < CRASHES; crash++) {
    await fotor.more(Math.ceil(Math.random() * MOST_BETWEEN))
    await gateway.kill()
    gateway = await scene.process(home)
    const own = gateway.log.find(({ msg }) => msg === 'own redis server is running')
    t.equal(own?.['adopted'], true, `crash ${crash + 1}: the next gateway adopts the living Redis`)
    servers.add(own?.['serverPid'])
  }
  await fotor.stop()
  t.equal(servers.size, 1, 'it was one Redis all along')
  t.comment(`${fotor.acknowledged.size} callbacks acknowledged over ${CRASHES} crashes`)

  for (const [at, subscriber] of subscribers.entries()) {
    await subscriber.waitUntil(() => new Set(tasksOf(subscriber)).size >= fotor.acknowledged.size)
    const got = new Set(tasksOf(subscriber))
    t.strictSame([...fotor.acknowledged].filter(taskId => !got.has(taskId)), [], `nothing acknowledged is missing at s${at}`)
  }
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 }, 'nothing is stuck, nothing failed')
})
