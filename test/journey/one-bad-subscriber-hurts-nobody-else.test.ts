/**
 * Promise 4: slow, hanging, refusing, or down for a day: the others do not
 * notice: each event reaches them while one hangs that has not answered any.
 * By how much it delays them, `npm run bench` measures (hanging).
 */
import t from '../support/tap.js'
import { accept, setScene, tasksOf } from '../support/scene.js'
import { answers, idsOf } from '../support/subscriber.js'

/** One after the other: if each waited a second for a bad one, the test would not end. */
const EVENTS = 200

t.test('one bad subscriber hurts nobody else', async t => {
  const scene = setScene(t)
  const [good, hanging] = [await scene.subscriber(), await scene.subscriber(answers.hang)]
  const gateway = await scene.inProcess(scene.home({
    log: { level: 'warn' },
    subscribers: [
      { name: 'good', url: good.url },
      { name: 'hanging', url: hanging.url, timeout: '1h', concurrency: 4 },
      { name: 'refusing', url: 'http://127.0.0.1:1/' }
    ]
  }))
  for (let n = 0; n < EVENTS; n++) {
    const eventId = await accept(gateway, { taskId: `t${n}` })
    await good.waitUntil(received => idsOf(received).includes(eventId))
  }
  t.equal(hanging.received.length, 4, 'the same four hang all the while')
  t.strictSame(tasksOf(good), Array.from({ length: EVENTS }, (_, n) => `t${n}`), 'each came before the next was sent, once')
})
