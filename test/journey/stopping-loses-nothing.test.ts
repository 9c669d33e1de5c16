/**
 * SIGTERM under load: accepting goes on for `shutdownDelay`, attempts in
 * flight finish or are cut off and go back, the process ends with 0 within
 * `shutdownGrace`, nothing is lost and no budget is used.
 */
import t from '../support/tap.js'
import { logged, onRedis, setScene } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

interface History {
  deliveries: Array<{ subscriber: string, state: string, attempts: Array<{ number: number, error: string | null }> | number }>
}

t.test('SIGTERM under load loses nothing, uses no budget and waits for nobody beyond the grace time', async t => {
  const scene = setScene(t)
  const [slow, quick] = [await scene.subscriber(answers.hang), await scene.subscriber()]
  const home = scene.home({
    shutdownGrace: '4s',
    subscribers: [
      { name: 'slow', url: slow.url, timeout: '1h', concurrency: 4, retry: { attempts: 1, initial: '1s', factor: 1, max: '1s' } },
      { name: 'quick', url: quick.url }
    ]
  })
  const first = await scene.process(home)

  const acknowledged = new Set<string>()
  let refused = 0
  const sending = { on: true }
  const senders = Array.from({ length: 4 }, async (_, sender) => {
    for (let n = 0; sending.on; n++) {
      const taskId = `${sender}-${n}`
      try {
        const { status } = await first.post({ taskId, status: 1, type: 'x' })
        if (status === 200) acknowledged.add(taskId)
        else refused += 1
      } catch { return } // the listener is closed: Fotor would try again elsewhere
    }
  })
  await slow.waitFor(4)
  const code = await first.end('SIGTERM')
  sending.on = false
  await Promise.all(senders)
  t.equal(code, 0, 'a clean stop, though a subscriber hangs and may do so for an hour')
  t.match(await logged(first, ({ msg }) => msg === 'gateway is stopping'), { graceMs: 4_000 })
  t.equal(refused, 0, 'nothing that reached it was refused')

  slow.behave(answers.ok)
  const second = await scene.process(home)
  for (const subscriber of [slow, quick]) {
    await subscriber.waitUntil(received => new Set(received.map(({ headers }) => headers['relay-task-id'])).size >= acknowledged.size)
  }
  await until(async () => {
    const { json } = await second.api<{ items: Array<{ counts: { open: number } }> }>('GET', '/api/v1/subscribers')
    return json.items.every(({ counts }) => counts.open === 0) || undefined
  })
  const { json } = await second.api<{ items: Array<{ counts: { failed: number, delivered: number } }> }>('GET', '/api/v1/subscribers')
  t.strictSame(json.items.map(({ counts }) => counts.failed), [0, 0], 'with a budget of one attempt, none failed: what was cut off used nothing')

  const cutOff = slow.received[0]!.headers['webhook-id']
  const { json: history } = await second.api<History>('GET', `/api/v1/events/${String(cutOff)}`)
  t.match(JSON.stringify(history), /cut off by shutdown/, 'what was cut off is on record')
})

t.test('SIGTERM while Redis is away ends as well', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const gateway = await scene.process(scene.home({ ...onRedis(redis), shutdownGrace: '3s', subscribers: [{ name: 'one', url: 'http://127.0.0.1:1/' }] }))
  await redis.kill()
  await until(async () => (await gateway.post({ taskId: 't', status: 1, type: 'x' })).json['status'] === 'spooled' || undefined)
  t.equal(await gateway.end('SIGTERM'), 0, 'it does not wait for Redis, which is still away')
})
