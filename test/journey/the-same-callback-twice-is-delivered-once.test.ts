/**
 * Promise 3: the same notification twice is answered 200 twice and delivered
 * once, race-free; a later status or other content is no duplicate and not lost.
 */
import t from '../support/tap.js'
import { untilWell } from '../support/outage.js'
import { accept, acceptBytes, sendDuplicate, setScene, untilNothingIsOpen } from '../support/scene.js'
import { idsOf } from '../support/subscriber.js'

const notification = (taskId: string, status: number | string, more: object = {}): { taskId: string, [field: string]: unknown } => ({ taskId, status, type: 'avatar', ...more })

t.test('a duplicate is a duplicate', async t => {
  const scene = setScene(t)
  const subscribers = [await scene.subscriber(), await scene.subscriber()]
  const gateway = await scene.inProcess(scene.home({ subscribers: subscribers.map(({ url }, at) => ({ name: `s${at}`, url })) }))

  /** Everything delivered so far has arrived once a last event, posted after the others, is there and nothing is open. */
  async function settled (): Promise<void> {
    await untilWell(gateway)
    const eventId = await accept(gateway, notification(`marker-${Math.random()}`, 1))
    for (const subscriber of subscribers) await subscriber.waitUntil(received => idsOf(received).includes(eventId))
    await untilNothingIsOpen(gateway)
  }
  const deliveriesOf = (taskId: string): number[] =>
    subscribers.map(({ received }) => received.filter(({ headers }) => headers['relay-task-id'] === encodeURIComponent(taskId)).length)

  await t.test('64 at once: one accepted, 63 duplicates that name it, one delivery each', async t => {
    const replies = await Promise.all(Array.from({ length: 64 }, async () => await gateway.post(notification('same', 1))))
    t.ok(replies.every(({ status }) => status === 200))
    // After a pause of the machine one may have gone to the spool: there it is found to be a duplicate.
    const told = replies.map(({ json }) => json).filter(({ status }) => status !== 'spooled')
    if (told.length === 64) t.equal(told.filter(({ status }) => status === 'accepted').length, 1)
    t.ok(told.filter(({ status }) => status !== 'duplicate').length <= 1, 'the others are duplicates')
    t.ok(new Set(told.map(({ eventId }) => eventId)).size <= 1, 'of that one')
    await settled()
    t.strictSame(deliveriesOf('same'), [1, 1])
    const { json } = await gateway.api<{ items: Array<{ duplicates: number }> }>('GET', '/api/v1/events?taskId=same')
    t.equal(json.items[0]?.duplicates, 63, 'counted')
  })

  await t.test('key order, white space and a status written as a string make no new event', async t => {
    const eventId = await acceptBytes(gateway, '{"taskId":"order","status":1,"type":"a","x":{"p":1,"q":"é"}}')
    const again = '{ "x": {"q":"\\u00e9", "p":1}, "type":"a", "status":"1", "taskId":"order" }'
    t.strictSame((await sendDuplicate(gateway, again)).json, { status: 'duplicate', eventId })
  })

  await t.test('status 0, then 1: two deliveries', async t => {
    await accept(gateway, notification('grows', 0))
    await accept(gateway, notification('grows', 1))
    await settled()
    t.strictSame(deliveriesOf('grows'), [2, 2])
  })

  await t.test('one status with two contents: revisions 1 and 2', async t => {
    await accept(gateway, notification('revised', 1, { resultUrl: 'a' }))
    await accept(gateway, notification('revised', 1, { resultUrl: 'b' }))
    await settled()
    const revisions = subscribers[0]!.received
      .filter(({ headers }) => headers['relay-task-id'] === 'revised').map(({ headers }) => headers['relay-revision'])
    t.strictSame(revisions.sort(), ['1', '2'])
  })

  await t.test('a status 0 after a final one is kept, flagged late, and not delivered', async t => {
    await accept(gateway, notification('late', 1))
    const eventId = await accept(gateway, notification('late', 0))
    await settled()
    t.strictSame(deliveriesOf('late'), [1, 1])
    const { json } = await gateway.api<{ flags: string[], deliveries: unknown[] }>('GET', `/api/v1/events/${eventId}`)
    t.match(json, { flags: ['late'], deliveries: [] })
  })

  const names = ['meta', 'wait', 'delayed', '12', 'a:b', '../..', '{x}', '__proto__', '\u{1F600}'.repeat(256)]
  for (const name of names) {
    await t.test(`a task may be called ${name.slice(0, 12)}`, async t => {
      await accept(gateway, notification(name, 1))
      await settled()
      t.strictSame(deliveriesOf(name), [1, 1])
    })
  }
})
