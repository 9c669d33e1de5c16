/**
 * Promises 2 and 6: what the gateway cannot heal by itself, or only later, an
 * operator is told, once, also while Redis is away, and when it is over.
 */
import t from '../support/tap.js'
import { sendOnce, setSpoolStage } from '../support/outage.js'
import { accept, logged, onRedis, seeReadiness, setScene } from '../support/scene.js'
import { answers, type TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

interface Told {
  type: string
  text: string
  data: { name: string, severity: string, subscriber: string | null, summary: string, figures: Record<string, number>, host: string | null }
}

/** Everything that a receiver was told. */
function messagesOf ({ received }: TestSubscriber): Told[] {
  return received.map(({ body }) => JSON.parse(body.toString()) as Told)
}

/** What it was told of these, such as `raised redis-away`, in alphabetical order: two of one look come in any. A busy machine may have more to tell. */
function headlinesOf (receiver: TestSubscriber, ...names: string[]): string[] {
  return messagesOf(receiver).filter(({ data: { name } }) => names.includes(name))
    .map(({ type, data: { name } }) => `${type.replace('alert.', '')} ${name}`).sort()
}

const AWAY = ['redis-away', 'spool-waiting']
const GONE = ['subscriber-gone', 'deliveries-failed']
const TURNED_AWAY = ['callbacks-misdirected', 'tokens-guessed']
const REFUSED = ['callbacks-too-large', 'callbacks-unreadable']

/** The `alerts` of a configuration that tells soon. */
function toldSoon ({ url }: TestSubscriber): { alerts: object } {
  return { alerts: { after: '1s', receivers: [{ name: 'on-call', url }] } }
}

t.test('a Redis that is away is told while it is, with how much waits in the spool and for how long, and told to be over', async t => {
  const onCall = await setScene(t).subscriber()
  const { redis, gateway } = await setSpoolStage(t, toldSoon(onCall))
  await redis.kill()
  for (const taskId of ['one', 'two']) t.match(await sendOnce(gateway, taskId), { status: 'spooled' })
  await onCall.waitUntil(() => headlinesOf(onCall, ...AWAY).length === 2)
  const waiting = messagesOf(onCall).find(({ data: { name } }) => name === 'spool-waiting')!
  t.match(waiting, { type: 'alert.raised', data: { severity: 'warning', summary: /^2 callbacks wait in the spool \(\d+kb\), the oldest for \d+ s$/, host: String } })
  t.match(waiting.data.figures, { callbacks: 2, bytes: Number, maxBytes: 1_073_741_824, oldestAgeSeconds: Number })
  t.ok(waiting.data.figures['oldestAgeSeconds']! >= 1, 'it has lasted')
  t.match(messagesOf(onCall).find(({ data: { name } }) => name === 'redis-away'), { data: { severity: 'critical', summary: /callbacks are stored in the spool$/ } })
  t.match((await gateway.api('GET', '/api/v1/alerts')).json, { items: [Object, Object] }, 'the API tells it too, without Redis')

  await redis.restart()
  await onCall.waitUntil(() => headlinesOf(onCall, ...AWAY).length >= 4)
  t.strictSame(headlinesOf(onCall, ...AWAY), ['raised redis-away', 'raised spool-waiting', 'resolved redis-away', 'resolved spool-waiting'])
  t.match(await gateway.api('GET', '/api/v1/alerts'), { status: 200, json: { items: [] } })
  t.match(await logged(gateway, ({ msg, name }) => msg === 'alert.raised' && name === 'redis-away'), { level: 'error' }, 'and the log')
})

t.test('what was told by a gateway that died is told to be over by the next', async t => {
  const onCall = await setScene(t).subscriber()
  const { redis, gateway, scene } = await setSpoolStage(t, toldSoon(onCall))
  await redis.kill()
  await sendOnce(gateway, 'one')
  await onCall.waitUntil(() => headlinesOf(onCall, ...AWAY).length === 2)
  await until(async () => {
    const { json } = await gateway.api<{ items: Array<{ toldTo: string[] }> }>('GET', '/api/v1/alerts')
    return json.items.every(({ toldTo }) => toldTo.length === 1) || undefined
  })
  await gateway.kill()
  await redis.restart()
  await scene.process(gateway.home)
  await onCall.waitUntil(() => headlinesOf(onCall, ...AWAY).length >= 4)
  t.strictSame(headlinesOf(onCall, ...AWAY), ['raised redis-away', 'raised spool-waiting', 'resolved redis-away', 'resolved spool-waiting'])
})

t.test('a subscriber that is gone is told once, whatever the number of replicas, until an operator resumes it', async t => {
  const scene = setScene(t)
  const [onCall, gone, redis] = [await scene.subscriber(), await scene.subscriber(answers.status(410)), await scene.redis()]
  const settings = { ...onRedis(redis), ...toldSoon(onCall), subscribers: [{ name: 'billing', url: gone.url }] }
  const [first, second] = [await scene.process(scene.home(settings)), await scene.process(scene.home(settings))]
  await accept(first, { taskId: 'one' })
  await onCall.waitUntil(() => headlinesOf(onCall, ...GONE).length === 2)
  t.match(messagesOf(onCall).find(({ data: { name } }) => name === 'subscriber-gone'), {
    text: /^\[critical\] fotor-relay relay: subscriber billing answered 410/, data: { severity: 'critical', subscriber: 'billing', host: null }
  })

  gone.behave(answers.ok)
  t.match(await second.api('POST', '/api/v1/subscribers/billing/resume'), { status: 200 })
  t.match(await second.api('POST', '/api/v1/replays', { subscriber: 'billing' }), { status: 202 })
  await onCall.waitUntil(() => headlinesOf(onCall, ...GONE).length === 4)
  t.strictSame(headlinesOf(onCall, ...GONE), ['raised deliveries-failed', 'raised subscriber-gone', 'resolved deliveries-failed', 'resolved subscriber-gone'])
})

t.test('when the replica that tells dies, another goes on where it was', async t => {
  const scene = setScene(t)
  const [onCall, failing, redis] = [await scene.subscriber(), await scene.subscriber(answers.status(422)), await scene.redis()]
  const settings = { ...onRedis(redis), ...toldSoon(onCall), delivery: { retry: [] }, subscribers: [{ name: 'billing', url: failing.url }] }
  const first = await scene.process(scene.home(settings))
  const second = await scene.process(scene.home(settings))
  await accept(second, { taskId: 'one' })
  await onCall.waitUntil(() => headlinesOf(onCall, 'deliveries-failed').includes('raised deliveries-failed'))
  await until(async () => {
    const { json } = await second.api<{ items: Array<{ name: string, toldTo: string[] }> }>('GET', '/api/v1/alerts')
    return json.items.find(({ name }) => name === 'deliveries-failed')?.toldTo.length === 1 || undefined
  })
  await first.kill()
  failing.behave(answers.ok)
  await second.api('POST', '/api/v1/replays', { subscriber: 'billing' })
  await onCall.waitUntil(() => headlinesOf(onCall, 'deliveries-failed').includes('resolved deliveries-failed'))
  t.strictSame(headlinesOf(onCall, 'deliveries-failed'), ['raised deliveries-failed', 'resolved deliveries-failed'])
})

t.test('a callback that is too large, and one that cannot be read, are told: they are lost', async t => {
  const scene = setScene(t)
  const onCall = await scene.subscriber()
  const gateway = await scene.process(scene.home({ ...toldSoon(onCall), ingest: { maxBody: '1kb' } }))
  t.match(await gateway.post({ taskId: 't', status: 1, type: 'x', filler: 'x'.repeat(2_000) }), { status: 413 })
  t.match(await gateway.post('no JSON'), { status: 400 })
  await onCall.waitUntil(() => headlinesOf(onCall, ...REFUSED).length === 2)
  t.strictSame(headlinesOf(onCall, ...REFUSED), ['raised callbacks-too-large', 'raised callbacks-unreadable'])
})

t.test('a callback at another path is told, with what it looks like and not where it went, and so is somebody who guesses tokens', async t => {
  const scene = setScene(t)
  const onCall = await scene.subscriber()
  const gateway = await scene.process(scene.home({ ...toldSoon(onCall), ingest: { path: '/webhooks/this-month' } }))
  const response = await fetch(new URL('/webhooks/last-month', gateway.ingestUrl), { method: 'POST', body: JSON.stringify({ taskId: 't', status: 1, type: 'x' }) })
  t.equal(response.status, 404)
  for (let guess = 0; guess < 25; guess++) await fetch(`${gateway.adminUrl}/api/v1/stats`, { headers: { authorization: `Bearer guess-${guess}` } })
  await onCall.waitUntil(() => headlinesOf(onCall, ...TURNED_AWAY).length === 2)
  t.strictSame(headlinesOf(onCall, ...TURNED_AWAY), ['raised callbacks-misdirected', 'raised tokens-guessed'])
  const [misdirected] = messagesOf(onCall).filter(({ data: { name } }) => name === 'callbacks-misdirected')
  t.match(misdirected, { data: { summary: /1 asked for another path than ingest\.path \(another last segment: /, figures: { requests: 1 } } })
  t.notMatch(JSON.stringify(messagesOf(onCall)), /month|127\.0\.0\.1|guess-/)
})

t.test('who is told is changed by a reload', async t => {
  const scene = setScene(t)
  const [onCall, other, redis] = [await scene.subscriber(), await scene.subscriber(), await scene.redis()]
  const home = scene.home({ ...onRedis(redis), ...toldSoon(onCall) })
  const gateway = await scene.process(home)
  t.match(await gateway.api('POST', '/api/v1/alerts/test'), { status: 200, json: { items: [{ receiver: 'on-call', statusCode: 204, error: null }] } })
  home.configure({ ...onRedis(redis), ...toldSoon(other) })
  t.match((await gateway.api('POST', '/api/v1/config/reload')).json, { changed: ['alerts.receivers.on-call.url'] })
  await redis.kill()
  await other.waitUntil(() => headlinesOf(other, 'redis-away').length === 1)
  t.strictSame(messagesOf(onCall).map(({ type }) => type), ['alert.test'], 'nothing else is told to whom it was before')
  t.match((await seeReadiness(gateway)).reasons, [/^Redis accepts no writes/])
})
