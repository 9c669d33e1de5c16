import t from '../support/tap.js'
import type { Queues } from '../../src/queue/bullmq/queues.js'
import { clearHold, setHold } from '../../src/record/holds.js'
import { configOf } from '../config/config-of.js'
import { startApi, subscriberNamed, type Api } from './api.js'

interface Shown { name: string, pausedBy: string | null, heldBy: string | null, enabled: boolean, url: string | null }

async function list (api: Api): Promise<Shown[]> {
  return ((await api.get('/api/v1/subscribers')).json as { items: Shown[] }).items
}

/** Notes whose workers were woken. */
function spyOn (queues: Queues, told: string[]): Queues {
  return {
    ...queues,
    async wake (subscriber) {
      told.push(subscriber)
      await queues.wake(subscriber)
    }
  }
}

async function startSpied (): Promise<{ api: Api, told: string[] }> {
  const told: string[] = []
  const api = await startApi()
  Object.assign(api.options.queues, { wake: spyOn({ ...api.options.queues }, told).wake })
  return { api, told }
}

t.test('subscribers are shown with what they owe and are owed, their secrets masked', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const first = await api.accept({ taskId: 'a' })
  const second = await api.accept({ taskId: 'b' })
  await api.attempt(first, 'billing', { state: 'delivered' })
  await api.attempt(second, 'billing', { state: 'failed', reason: 'exhausted' }, { statusCode: 500, error: 'HTTP 500' })
  const { json, bytes } = await api.get('/api/v1/subscribers')
  t.notMatch(bytes.toString(), 'hidden')
  t.notMatch(bytes.toString(), 'secret')
  const { items: [billing, mailer], nextCursor } = json as { items: Shown[], nextCursor: null }
  t.equal(nextCursor, null)
  t.match(billing, {
    name: 'billing',
    url: 'http://***:***@billing.internal:9001/hook?key=***',
    enabled: true,
    pausedBy: null,
    breaker: 'closed',
    heldBy: null,
    counts: { open: 0, held: 0, failed: 1, delivered: 1 },
    oldestWaitingAt: null,
    lastSuccessAt: /Z$/,
    lastError: 'HTTP 500'
  })
  t.match(mailer, { name: 'mailer', counts: { open: 2, held: 0, failed: 0, delivered: 0 }, oldestWaitingAt: /Z$/, lastSuccessAt: null, lastError: null })
})

t.test('a secret in the path of a URL is shown as the file has it', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const { subscribers } = await configOf('subscribers: [{ name: billing, url: "http://h/hooks/$' + '{HOOK_TOKEN}/in" }]', { HOOK_TOKEN: 'hushhush' })
  api.subscribers.splice(0, Infinity, ...subscribers)
  t.match(await list(api), [{ url: 'http://h/hooks/$' + '{HOOK_TOKEN}/in' }])
})

t.test('one that is configured but unheard of is shown, and one that is removed too', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await setHold(api.options.store, 'former', 'removed')
  api.subscribers.push(subscriberNamed('asleep', { enabled: false }))
  t.match(await list(api), [
    { name: 'asleep', enabled: false, url: /^http/ },
    { name: 'billing', enabled: true },
    { name: 'former', enabled: false, url: null, heldBy: 'removed', pausedBy: null },
    { name: 'mailer' }
  ])
})

t.test('a pause holds the subscriber, and a resume lets it go and wakes its workers', async t => {
  const { api, told } = await startSpied()
  t.teardown(api.close)
  const paused = await api.post('/api/v1/subscribers/billing/pause')
  t.equal(paused.status, 200)
  t.match(paused.json, { name: 'billing', pausedBy: 'operator', heldBy: 'pause' })
  t.match(await list(api), [{ name: 'billing', pausedBy: 'operator' }, { name: 'mailer', pausedBy: null }])

  const resumed = await api.post('/api/v1/subscribers/billing/resume')
  t.match(resumed.json, { name: 'billing', pausedBy: null, heldBy: null })
  t.strictSame(told, ['billing'])
  t.match(api.facts, [
    { fact: 'subscriber.held', subscriber: 'billing', by: 'pause' },
    { fact: 'subscriber.released', subscriber: 'billing', by: 'pause' }
  ])
})

t.test('to pause twice and to resume twice is to do it once', async t => {
  const { api } = await startSpied()
  t.teardown(api.close)
  for (const action of ['pause', 'pause', 'resume', 'resume']) {
    t.equal((await api.post(`/api/v1/subscribers/mailer/${action}`)).status, 200)
  }
  t.strictSame(api.facts.map(({ fact }) => fact), ['subscriber.held', 'subscriber.released'])
})

t.test('a resume ends what an answer of 410 began', async t => {
  const { api, told } = await startSpied()
  t.teardown(api.close)
  const id = await api.accept({ taskId: 'a' })
  await api.attempt(id, 'billing', { state: 'failed', reason: 'gone' }, { statusCode: 410 })
  await api.post('/api/v1/subscribers/billing/pause')
  t.match(await list(api), [{ name: 'billing', pausedBy: 'gone', heldBy: 'gone' }, {}])
  t.match((await api.post('/api/v1/subscribers/billing/resume')).json, { pausedBy: null, heldBy: null })
  t.strictSame(told, ['billing'])
  t.strictSame(api.facts.flatMap(fact => fact.fact === 'subscriber.released' ? fact.by : []), ['pause', 'gone'])
})

for (const hold of ['disabled', 'removed'] as const) {
  t.test(`a resume wakes nobody while the subscriber is on hold for ${hold}`, async t => {
    const { api, told } = await startSpied()
    t.teardown(api.close)
    await setHold(api.options.store, 'billing', hold)
    await api.post('/api/v1/subscribers/billing/pause')
    t.match((await api.post('/api/v1/subscribers/billing/resume')).json, { pausedBy: null, heldBy: hold })
    t.strictSame(told, [])
    await clearHold(api.options.store, 'billing', hold)
    await api.post('/api/v1/subscribers/billing/resume')
    t.strictSame(told, ['billing'])
  })
}

t.test('a resume ends whatever an operator can end, tries an open breaker, and wakes the queue', async t => {
  const { api, told } = await startSpied()
  t.teardown(api.close)
  for (const hold of ['pause', 'gone', 'throttle', 'breaker'] as const) await setHold(api.options.store, 'billing', hold)
  t.match((await api.post('/api/v1/subscribers/billing/resume')).json, { pausedBy: null, heldBy: null, heldUntil: null, breaker: 'half-open' })
  t.strictSame(told, ['billing'])
})

t.test('a throttled subscriber says until when, and so do its deliveries', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const { redis, keys } = api.options.store
  const until = Date.now() + 60_000
  await redis.hset(keys.subscriber('billing'), 'hold:throttle', Date.now(), 'throttle:until', until)
  await api.accept({ taskId: 't1' })
  const at = new Date(until).toISOString()
  const { items } = (await api.get('/api/v1/subscribers')).json as { items: object[] }
  t.match(items, [{ name: 'billing', heldBy: 'throttle', heldUntil: at }, {}])
  t.match((await api.get('/api/v1/deliveries?subscriber=billing')).json, { items: [{ state: 'held', heldBy: 'throttle', nextAttemptAt: at }] })
})

t.test('workers that cannot be woken look by themselves: the subscriber is resumed', async t => {
  const api = await startApi()
  t.teardown(api.close)
  Object.assign(api.options.queues, { wake: async () => { await new Promise(() => {}) } })
  await api.post('/api/v1/subscribers/billing/pause')
  t.match(await api.post('/api/v1/subscribers/billing/resume'), { status: 200, json: { pausedBy: null } })
})
