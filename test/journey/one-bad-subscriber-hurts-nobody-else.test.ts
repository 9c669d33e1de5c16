/**
 * Promise 4: slow, hanging, refusing, or down for a day: the others do not
 * notice. A subscriber that accepts the connection and never answers delays
 * nobody else by more than 50 ms.
 */
import t from '../support/tap.js'
import { makeHome, startInProcess } from '../support/gateway.js'
import { answers, startSubscriber } from '../support/subscriber.js'

/** The promise of the design, milliseconds. */
const MAX_DELAY_MS = 50
const EVENTS = 200

t.test('one bad subscriber hurts nobody else', async t => {
  const good = await startSubscriber()
  const hanging = await startSubscriber(answers.hang)
  const home = makeHome({
    log: { level: 'warn' },
    subscribers: [
      { name: 'good', url: good.url },
      { name: 'hanging', url: hanging.url, timeout: '5m', concurrency: 4, enabled: false },
      { name: 'refusing', url: 'http://127.0.0.1:1/', enabled: false }
    ]
  })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    hanging.behave(answers.ok)
    await hanging.close()
    await gateway.stop()
    await good.close()
    home.remove()
  })

  /** Milliseconds from posting to arrival at the good subscriber, one event after the other. */
  async function latencies (round: string): Promise<number[]> {
    const measured: number[] = []
    for (let n = 0; n < EVENTS; n++) {
      const taskId = `${round}-${n}`
      const posted = Date.now()
      await gateway.post({ taskId, status: 1, type: 'x' })
      const received = await good.waitUntil(all => all.some(({ headers }) => headers['relay-task-id'] === taskId))
      measured.push(received.find(({ headers }) => headers['relay-task-id'] === taskId)!.at - posted)
    }
    return measured.sort((a, b) => a - b)
  }

  await latencies('warm')
  const before = await latencies('before')
  home.configure({
    log: { level: 'warn' },
    subscribers: [
      { name: 'good', url: good.url },
      { name: 'hanging', url: hanging.url, timeout: '5m', concurrency: 4 },
      { name: 'refusing', url: 'http://127.0.0.1:1/' }
    ]
  })
  t.match(await gateway.gateway.reload(), { changed: Array }, 'both bad ones are enabled now')
  await hanging.waitFor(4)
  const during = await latencies('during')

  const at = (list: number[], share: number): number => list[Math.floor(list.length * share)]!
  t.comment(`p50 ${at(before, 0.5)} ms before, ${at(during, 0.5)} ms during; p95 ${at(before, 0.95)} and ${at(during, 0.95)} ms`)
  t.ok(at(during, 0.5) - at(before, 0.5) <= MAX_DELAY_MS, 'half of the events are not delayed')
  t.ok(at(during, 0.95) - at(before, 0.95) <= MAX_DELAY_MS, 'nor are 95 of 100')
  t.equal(good.received.length, 3 * EVENTS, 'and all arrived once')
})
