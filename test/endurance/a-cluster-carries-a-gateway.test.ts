/**
 * Promise 1 on Redis Cluster: a whole gateway with its keys in one slot, while
 * the primary of that slot is killed, and while the slot moves to another one.
 */
import t, { type Test } from '../support/tap.js'
import type { GatewayProcess } from '../support/gateway.js'
import { startCluster, type TestCluster } from '../support/cluster.js'
import { runCommand } from '../support/command.js'
import { areTaken, hasAll, sending, sendOnce, type Sent } from '../support/outage.js'
import { setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import type { TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

const KEY = '{relay}:events'

async function setStage (t: Test): Promise<{ cluster: TestCluster, gateway: GatewayProcess, subscriber: TestSubscriber }> {
  const cluster = await startCluster()
  const scene = setScene(t)
  t.teardown(async () => { await cluster.close() })
  const subscriber = await scene.subscriber()
  const gateway = await scene.process(scene.home({
    redis: { ...cluster.settings, waitReplicas: 1 }, subscribers: [{ name: 'a', url: subscriber.url }]
  }))
  return { cluster, gateway, subscriber }
}

/** Sends while something happens, and after it until one is accepted at once. */
async function sendDuring (gateway: GatewayProcess, what: () => Promise<unknown>): Promise<Sent[]> {
  const sender = sending(gateway, ['x', 'y', 'z'])
  await until(() => sender.sent.length > 100 || undefined)
  await what()
  const before = sender.sent.length
  await until(() => sender.sent.slice(before).some(({ status }) => status === 'accepted') || undefined)
  return await sender.stop()
}

t.test('the primary of its slot is killed: every callback is acknowledged, and arrives', async t => {
  const { cluster, gateway, subscriber } = await setStage(t)
  const sent = await sendDuring(gateway, async () => {
    const primary = await cluster.ownerOf(KEY)
    await primary.kill()
    await until(async () => (await cluster.ownerOf(KEY)) !== primary || undefined)
    await primary.restart() // comes back as the replica
  })
  t.ok(areTaken(sent), 'none was refused')
  await until(() => hasAll(subscriber, sent) || undefined)
  await untilNothingIsOpen(gateway)
  t.match(await runCommand(['export', '-', '--config', gateway.home.configFile]), { code: 0, err: new RegExp(`^${sent.length} events, ${sent.length} tasks`) })
})

t.test('its slot moves to another primary under load: nothing is lost, and nothing is taken twice', async t => {
  const { cluster, gateway, subscriber } = await setStage(t)
  let moved = 0
  const sent = await sendDuring(gateway, async () => { moved = await cluster.moveSlot(KEY, await cluster.otherPrimary(KEY)) })
  t.ok(moved > 300, `${moved} keys moved`)
  t.ok(areTaken(sent), 'none was refused')
  await until(() => hasAll(subscriber, sent) || undefined)
  await untilNothingIsOpen(gateway)
  t.match((await gateway.api('GET', '/api/v1/stats')).json, { counters: { accepted: sent.length }, events: sent.length }, 'each is one event')
  t.ok(tasksOf(subscriber).length >= sent.length)
})

t.test('while a slot moves no script runs half-way: what a task is sent meanwhile is not lost', async t => {
  const { cluster, gateway, subscriber } = await setStage(t)
  t.ok(areTaken([await sendOnce(gateway, 'task')]))
  await untilNothingIsOpen(gateway)
  const to = await cluster.otherPrimary(KEY)
  await cluster.moveSlot(KEY, to, {
    key: '{relay}:stats',
    async meanwhile () {
      // Its task is still there and takes the claim; the keys of a new event could not be written.
      t.match(await gateway.post({ taskId: 'task', status: 2, type: 'x' }), { status: 200, json: { status: 'spooled' } })
      t.equal((await sendOnce(gateway, 'another')).status, 'spooled')
    }
  })
  await until(() => tasksOf(subscriber).length === 3 || undefined)
  await untilNothingIsOpen(gateway)
  t.match((await gateway.api('GET', '/api/v1/stats')).json, { counters: { accepted: 3 }, events: 3 })
  t.strictSame(tasksOf(subscriber).sort(), ['another', 'task', 'task'])
})
