/**
 * Promises 6 and 1: Redis is killed, away, frozen, forgets its scripts or
 * loses its queues, and nobody restarts anything by hand. Nothing acknowledged
 * is lost, nothing is stuck, and every callback is answered without waiting for
 * Redis, with a spool or without one. How soon, `npm run bench` measures
 * (outages).
 */
import t from '../support/tap.js'
import { playFotor, type Fotor } from '../support/fotor.js'
import type { TestGateway } from '../support/gateway.js'
import { accept, logged, onRedis, replayed, seeSubscriber, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import { answers, type TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

/** How long an outage is, milliseconds. */
const OUTAGE_MS = 3_000

const QUICK_RETRY = { attempts: 1_000, initial: '100ms', factor: 1, max: '100ms', jitter: 0 }

interface Assert { strictSame (found: unknown, wanted: unknown, says: string): unknown }

/** Everything acknowledged has arrived, nothing waits or failed. */
async function allArrived (t: Assert, gateway: TestGateway, { subscriber, fotor: { acknowledged } }: { subscriber: TestSubscriber, fotor: Fotor }): Promise<void> {
  await subscriber.waitUntil(() => {
    const got = new Set(tasksOf(subscriber))
    return got.size >= acknowledged.size && [...acknowledged].every(taskId => got.has(taskId))
  })
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 }, 'nothing is stuck, nothing failed')
}

t.test('its own Redis, killed again and again under load, comes back by itself and has lost nothing', async t => {
  const scene = setScene(t)
  const subscriber = await scene.subscriber()
  const gateway = await scene.inProcess(scene.home({ subscribers: [{ name: 'one', url: subscriber.url, retry: QUICK_RETRY }] }))
  const fotor = playFotor(t, () => [gateway])
  await fotor.more(50)

  let { serverPid: pid } = await logged(gateway, ({ msg }) => msg === 'own redis server is running')
  for (let crash = 1; crash <= 4; crash++) {
    const before = gateway.log.length
    process.kill(Number(pid), 'SIGKILL')
    const line = await logged(gateway, ({ msg, role, state }) => msg === 'redis.state' && role === 'server' && state === 'restarted', before)
    pid = /pid (\d+)/.exec(String(line['detail']))![1]
    await fotor.more(50)
    t.pass(`crash ${crash}: started again, and callbacks are accepted`)
  }
  await fotor.stop()

  t.comment(`${fotor.acknowledged.size} acknowledged, answers ${JSON.stringify([...fotor.answers])}`)
  await allArrived(t, gateway, { subscriber, fotor })
  t.notOk(fotor.answers.has(0), 'the listener was open all along')
  t.strictSame([...fotor.answers.keys()], [200], 'and said 200 each time')
  t.equal(gateway.log.filter(({ msg }) => msg === 'gateway is open').length, 1, 'nobody restarted the gateway')
})

for (const [how, begin, end] of [
  ['stopped', 'kill', 'restart'],
  ['frozen', 'freeze', 'thaw']
] as const) {
  t.test(`without a spool, an external Redis ${how} for three seconds: every callback is answered, deliveries go on when it is back`, async t => {
    const scene = setScene(t)
    const redis = await scene.redis()
    const actions = {
      kill: redis.kill,
      restart: redis.restart,
      freeze: () => { redis.process.kill('SIGSTOP') },
      thaw: () => { redis.process.kill('SIGCONT') }
    }
    t.teardown(actions.thaw)
    const subscriber = await scene.subscriber()
    const repaired = await scene.subscriber(answers.status(500))
    const gateway = await scene.inProcess(scene.home({
      ...onRedis(redis),
      spool: { enabled: false },
      subscribers: [{ name: 'one', url: subscriber.url, retry: QUICK_RETRY }, { name: 'repaired', url: repaired.url, retry: QUICK_RETRY }]
    }))
    const fotor = playFotor(t, () => [gateway])
    await fotor.more(20)
    await repaired.waitFor(20)

    await actions[begin]()
    const away = performance.now()
    const unavailable = (): number => fotor.answers.get(503) ?? 0
    await until(`an outage of ${OUTAGE_MS} ms, and callbacks answered 503 in it`, () => performance.now() - away > OUTAGE_MS && unavailable() >= 4)
    await fotor.settled()
    t.pass('what was sent is answered, and it is still away')
    const readyz = await fetch(`${gateway.adminUrl}/readyz`)
    t.equal(readyz.status, 503, 'it says that it is not ready')
    const received = subscriber.received.length + repaired.received.length
    repaired.behave(answers.ok)
    await actions[end]()
    await Promise.any([subscriber.waitUntil(() => subscriber.received.length + repaired.received.length > received),
      repaired.waitUntil(() => subscriber.received.length + repaired.received.length > received)])
    await fotor.more(20)
    t.pass('it is back: deliveries go on, and so does accepting')
    await fotor.stop()

    t.comment(`answers ${JSON.stringify([...fotor.answers])}`)
    t.notOk(fotor.answers.has(0), 'none was left without an answer')
    await allArrived(t, gateway, { subscriber, fotor })
    await allArrived(t, gateway, { subscriber: repaired, fotor })
    t.equal((await until(async () => {
      const response = await fetch(`${gateway.adminUrl}/readyz`)
      return response.status === 200 ? response : undefined
    })).status, 200, 'and it is ready again')
  })
}

t.test('a Redis that forgets its scripts under load is taught them again, and nobody notices', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscriber = await scene.subscriber()
  const gateway = await scene.inProcess(scene.home({ ...onRedis(redis), subscribers: [{ name: 'one', url: subscriber.url, retry: QUICK_RETRY }] }))
  const fotor = playFotor(t, () => [gateway])
  for (let round = 0; round < 10; round++) {
    await fotor.more(20)
    await redis.client().script('FLUSH')
  }
  await fotor.more(20)
  await fotor.stop()
  t.strictSame([...fotor.answers.keys()], [200], 'every callback was taken at once')
  await allArrived(t, gateway, { subscriber, fotor })
})

t.test('a wiped queue is made anew from the record, with its limits and its holds', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const pending: Array<() => void> = []
  const slow = await scene.subscriber(response => { pending.push(() => { response.writeHead(204).end() }) })
  const failing = await scene.subscriber(answers.status(500))
  const [paused, limited] = [await scene.subscriber(), await scene.subscriber()]
  const gateway = await scene.inProcess(scene.home({
    ...onRedis(redis),
    subscribers: [
      { name: 'slow', url: slow.url, concurrency: 4 },
      { name: 'failing', url: failing.url, retry: ['1h'] },
      { name: 'paused', url: paused.url },
      { name: 'limited', url: limited.url, rateLimit: { max: 5, per: '1s' }, enabled: true }
    ]
  }))
  await gateway.api('POST', '/api/v1/subscribers/paused/pause')
  await gateway.api('POST', '/api/v1/subscribers/limited/pause')
  const tasks = Array.from({ length: 20 }, (_, n) => `t${n}`)
  for (const taskId of tasks) await accept(gateway, { taskId })
  await slow.waitFor(4)
  await failing.waitFor(20)
  await until(async () => (await gateway.api<{ items: unknown[] }>('GET', '/api/v1/deliveries?subscriber=failing&state=retrying&limit=500')).json.items.length === 20 || undefined)

  failing.behave(answers.ok)
  const client = redis.client()
  const doomed = await client.keys('{relay}:queue:*')
  t.ok(doomed.length >= 20, 'there is something to lose')
  await client.del(...doomed)
  slow.behave(answers.ok)
  for (const answer of pending.splice(0)) answer()

  await slow.waitUntil(() => new Set(tasksOf(slow)).size === 20)
  t.pass('every delivery came, and nobody restarted anything')
  const delayed = await until(async () => {
    const count = await client.zcard('{relay}:queue:failing:delayed')
    return count >= 20 ? count : undefined
  })
  t.equal(delayed, 20, 'those that were waiting for their next attempt wait for it again')
  t.equal(failing.received.length, 20, 'and were not tried before their time')
  await replayed(gateway, { subscriber: 'failing', state: 'retrying' })
  await failing.waitFor(40)
  t.equal(new Set(tasksOf(failing).slice(20)).size, 20, 'made due, they come')

  t.equal(paused.received.length + limited.received.length, 0, 'and whoever is paused got nothing')
  t.match(await seeSubscriber(gateway, 'paused'), { pausedBy: 'operator', counts: { open: 20 } })

  const began = Date.now()
  await gateway.api('POST', '/api/v1/subscribers/limited/resume')
  await limited.waitFor(11)
  const eleventh = limited.received[10]!.at - began
  t.ok(eleventh >= 1_900, `the rate limit holds: the eleventh came ${eleventh} ms after the end of the pause`)
  await gateway.api('POST', '/api/v1/subscribers/paused/resume')
  await paused.waitFor(20)
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
})
