/**
 * Promise 6: the gateway's clock jumps, and that of its Redis does not: nothing
 * is lost, what was planned for later can be had at once, and a duplicate is a
 * duplicate.
 */
import t, { type Test } from '../support/tap.js'
import { clockOf } from '../support/clock.js'
import type { GatewayProcess } from '../support/gateway.js'
import { accept, sendDuplicate, seeDeliveries, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import { answers, type TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

const HOUR_MS = 3_600_000

/** A gateway whose clock can be set, and a subscriber that refuses at first. */
async function setStage (t: Test): Promise<{ gateway: GatewayProcess, subscriber: TestSubscriber, setClock: (offsetMs: number) => Promise<void> }> {
  const scene = setScene(t)
  const subscriber = await scene.subscriber(answers.status(500))
  const home = scene.home({ subscribers: [{ name: 'a', url: subscriber.url, retry: ['30m', '30m'] }] })
  const clock = clockOf(home)
  const gateway = await scene.process(home, [], clock.env)
  return {
    gateway,
    subscriber,
    async setClock (offsetMs) {
      clock.set(gateway, offsetMs)
      let n = 0
      await until(async () => {
        await gateway.post('{}')
        const line = gateway.log.at(-1)
        return (n++ > 2 && Math.abs(Date.parse(String(line?.['time'])) - Date.now() - offsetMs) < 60_000) || undefined
      })
    }
  }
}

for (const [says, offsetMs] of [['back', -24 * HOUR_MS], ['forward', 24 * HOUR_MS]] as const) {
  t.test(`set ${says} by a day: what waits is delivered, and new callbacks are taken in their order`, async t => {
    const { gateway, subscriber, setClock } = await setStage(t)
    await accept(gateway, { taskId: 'before' })
    await until(async () => (await seeDeliveries(gateway, 'state=retrying')).length === 1 || undefined)
    subscriber.behave(answers.ok)
    await setClock(offsetMs)
    await accept(gateway, { taskId: 'after' })
    await until(() => tasksOf(subscriber).includes('after') || undefined)
    t.equal(subscriber.received.length, 2, 'what was planned waits for its time by Redis\'s clock')
    await gateway.api('POST', '/api/v1/replays', { subscriber: 'a', state: 'retrying' })
    await untilNothingIsOpen(gateway)
    t.strictSame(tasksOf(subscriber).sort(), ['after', 'before', 'before'])
    for (const taskId of ['before', 'after']) t.match((await sendDuplicate(gateway, { taskId, status: 1, type: 'x' })).json, { status: 'duplicate' })
    const { json } = await gateway.api<{ items: Array<{ taskId: string }> }>('GET', '/api/v1/events')
    t.strictSame(json.items.map(event => event.taskId), ['after', 'before'], 'in the order in which they came')
    t.equal(await gateway.end('SIGTERM'), 0)
  })
}
