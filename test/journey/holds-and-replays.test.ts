/**
 * What an operator holds back is kept and shown, and what an operator orders
 * again is delivered again: to those meant and to nobody else, under the id it
 * always had.
 */
import t from '../support/tap.js'
import type { ReplayAnswer } from '../../src/admin/answers.js'
import {
  accept, sendDuplicate, replayed, seeDeliveries, seeEvent, seeReadinessWithRedis, seeSubscriber, setScene, tasksOf, untilNothingIsOpen, untilState
} from '../support/scene.js'
import { until } from '../support/until.js'
import { answers, idsOf } from '../support/subscriber.js'

/** Gives up after the first attempt. */
const ONE_ATTEMPT: string[] = []

t.test('other content under the same task and status is held for an operator, who lets it go or gives it up', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const gateway = await scene.inProcess(scene.home({ dedupe: { onConflict: 'hold' }, subscribers: [{ name: 'one', url: one.url }] }))
  const [first, second, third] = [
    await accept(gateway, { taskId: 't', n: 1 }), await accept(gateway, { taskId: 't', n: 2 }), await accept(gateway, { taskId: 't', n: 3 })
  ]
  await one.waitFor(1)
  const held = await seeDeliveries(gateway, 'state=held')
  t.strictSame(held.map(({ eventId, heldBy, attempts, nextAttemptAt }) => [eventId, heldBy, attempts, nextAttemptAt]),
    [[third, 'conflict', 0, null], [second, 'conflict', 0, null]], 'both later revisions wait')
  t.match(await seeEvent(gateway, second), { revision: 2, deliveries: [{ state: 'held', heldBy: 'conflict' }] })
  t.match(await seeSubscriber(gateway, 'one'), { counts: { held: 2 }, heldBy: null }, 'the subscriber itself is not on hold')
  t.match((await sendDuplicate(gateway, { taskId: 't', status: 1, type: 'x', n: 2 })).json, { status: 'duplicate', eventId: second }, 'a duplicate of what is held is a duplicate')

  t.strictSame((await gateway.api('POST', `/api/v1/events/${third}/discard`)).json, { discarded: 1 })
  t.strictSame((await gateway.api('POST', `/api/v1/events/${second}/release`)).json, { released: 1 })
  await one.waitFor(2)
  t.match(one.received[1]!.headers, { 'webhook-id': second, 'relay-revision': '2' })
  await untilState(gateway, { eventId: second, subscriber: 'one' }, 'delivered')
  t.match(await seeEvent(gateway, third), { deliveries: [{ state: 'discarded', heldBy: null, attempts: 0 }] })
  t.strictSame((await gateway.api('POST', `/api/v1/events/${third}/release`)).json, { released: 0 }, 'what was given up is not let go')
  t.strictSame((await gateway.api('POST', `/api/v1/events/${second}/release`)).json, { released: 0 }, 'nor is anything twice')
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
  t.strictSame(idsOf(one.received), [first, second], 'each was delivered once, the third never')
})

t.test('a pause is shown wherever it matters, holds one subscriber only, and a resume delivers what waited', async t => {
  const scene = setScene(t)
  const [one, other] = [await scene.subscriber(answers.status(500)), await scene.subscriber()]
  const gateway = await scene.inProcess(scene.home({
    subscribers: [{ name: 'one', url: one.url, retry: ['1h'] }, { name: 'other', url: other.url }]
  }))
  const retrying = await accept(gateway, { taskId: 'retrying' })
  await untilState(gateway, { eventId: retrying, subscriber: 'one' }, 'retrying')
  one.behave(answers.ok)
  t.match((await gateway.api('POST', '/api/v1/subscribers/one/pause')).json, { name: 'one', pausedBy: 'operator', heldBy: 'pause' })
  const queued = await accept(gateway, { taskId: 'queued' })
  await other.waitFor(2)

  for (const eventId of [retrying, queued]) {
    const { deliveries } = await seeEvent(gateway, eventId)
    t.match(deliveries.find(({ subscriber }) => subscriber === 'one'), { state: 'held', heldBy: 'pause', nextAttemptAt: null }, '/events/{id}')
  }
  const { json: { items } } = await gateway.api<{ items: Array<{ id: string }> }>('GET', '/api/v1/events?subscriber=one&state=held')
  t.strictSame(items.map(({ id }) => id), [queued, retrying], '/events')
  t.strictSame((await seeDeliveries(gateway, 'state=held')).map(({ eventId, subscriber, heldBy }) => [eventId, subscriber, heldBy]),
    [[queued, 'one', 'pause'], [retrying, 'one', 'pause']], '/deliveries')
  t.strictSame(await seeDeliveries(gateway, 'subscriber=one&state=queued,retrying'), [], 'and under no other state')
  t.match(await seeSubscriber(gateway, 'one'), { enabled: true, pausedBy: 'operator', counts: { open: 2, held: 0 } }, '/subscribers')
  t.match(await until(async () => {
    const readiness = await seeReadinessWithRedis(gateway)
    return readiness.status === 'degraded' && readiness.reasons.some(reason => /one .*pause/.test(reason)) ? readiness : undefined
  }), { code: 200 }, '/readyz: a callback would get its 200')
  t.equal(one.received.length, 1, 'nothing was sent meanwhile')

  t.match((await gateway.api('POST', '/api/v1/subscribers/one/resume')).json, { pausedBy: null, heldBy: null })
  await untilState(gateway, { eventId: queued, subscriber: 'one' }, 'delivered')
  t.match(await untilState(gateway, { eventId: retrying, subscriber: 'one' }, 'retrying'), { attempts: 1, nextAttemptAt: String }, 'who waits for its time still does')
  t.match(await replayed(gateway, { subscriber: 'one', state: 'retrying' }), { matched: 1, delivered: 1 }, 'until it is made due')
  t.strictSame(tasksOf(one), ['retrying', 'queued', 'retrying'])
})

t.test('a 410 pauses its subscriber until an operator resumes it', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber(answers.status(410))
  const gateway = await scene.inProcess(scene.home({ subscribers: [{ name: 'one', url: one.url, concurrency: 1 }] }))
  const eventId = await accept(gateway, { taskId: 'first' })
  await untilState(gateway, { eventId, subscriber: 'one' }, 'failed')
  const waits = await accept(gateway, { taskId: 'second' })
  t.match(await seeSubscriber(gateway, 'one'), { pausedBy: 'gone', heldBy: 'gone', counts: { open: 1, failed: 1 } })
  t.match((await seeEvent(gateway, waits)).deliveries, [{ state: 'held', heldBy: 'gone' }])
  one.behave(answers.ok)
  await gateway.api('POST', '/api/v1/subscribers/one/resume')
  await untilState(gateway, { eventId: waits, subscriber: 'one' }, 'delivered')
  t.equal(one.received.length, 2)
})

/** Twelve failed events of two types and two statuses for `one`; `other` has them all. */
async function failedEvents (scene: ReturnType<typeof setScene>) {
  const [one, other] = [await scene.subscriber(answers.status(500)), await scene.subscriber()]
  const gateway = await scene.inProcess(scene.home({
    subscribers: [{ name: 'one', url: one.url, retry: ONE_ATTEMPT }, { name: 'other', url: other.url }]
  }))
  const ids = new Map<string, string>()
  for (let n = 0; n < 12; n++) {
    const [type, status] = [n % 2 === 0 ? 'avatar' : 'imageEdit', n % 3 === 0 ? 2 : 1]
    ids.set(`${type}-${status}-${n}`, await accept(gateway, { taskId: `${type}-${status}-${n}`, type, status }))
  }
  await until(async () => (await seeSubscriber(gateway, 'one'))?.counts.failed === 12 || undefined)
  await other.waitFor(12)
  one.behave(answers.ok)
  return { gateway, one, other, ids }
}

t.test('a replay means what its filters say: a dry run counts it, the replay delivers just that', async t => {
  const { gateway, one, other, ids } = await failedEvents(setScene(t))
  const tasks = [...ids.keys()]
  const arrivals = await Promise.all(tasks.map(async task => (await seeEvent(gateway, ids.get(task)!)).receivedAt))
  const ORDERS: ReadonlyArray<[says: string, order: object, meant: (task: string, n: number) => boolean]> = [
    ['by task', { taskId: tasks[0] }, task => task === tasks[0]],
    ['by event', { eventIds: [ids.get(tasks[1]!), ids.get(tasks[2]!)], subscriber: 'one' }, (_, n) => n === 1 || n === 2],
    ['by type and status', { subscriber: 'one', type: 'image*', status: 2 }, task => task.startsWith('imageEdit-2')],
    ['by type', { subscriber: 'one', type: 'avatar' }, task => task.startsWith('avatar')],
    ['by time', { subscriber: 'one', state: 'failed', since: arrivals[6] }, (_, n) => arrivals[n]! >= arrivals[6]!],
    ['by state', { state: 'failed' }, () => true]
  ]
  const left = new Set(tasks)
  let others = 12
  for (const [says, order, meant] of ORDERS) {
    const isOne = 'subscriber' in order || 'state' in order
    const wanted = tasks.filter(meant).filter(task => left.has(task) || 'eventIds' in order || 'taskId' in order)
    const before = one.received.length
    const dry = await gateway.api<{ id: null, matched: number }>('POST', '/api/v1/replays', { ...order, dryRun: true })
    t.equal(dry.status, 200)
    const matched = wanted.length + (isOne ? 0 : wanted.length)
    t.strictSame(dry.json, { id: null, matched }, `${says}: the dry run counts ${matched}`)
    t.equal(one.received.length, before, 'and sends nothing')
    t.match(await replayed(gateway, order), { matched, queued: matched, delivered: matched, failed: 0 })
    t.strictSame(tasksOf(one).slice(before).sort(), [...wanted].sort(), 'those meant, each once')
    others += isOne ? 0 : wanted.length
    for (const task of wanted) left.delete(task)
  }
  t.equal(other.received.length, others, 'the other got only what was meant for it')
  t.equal(left.size, 0)
  for (const { headers } of one.received.slice(12)) {
    t.match(headers, { 'webhook-id': ids.get(String(headers['relay-task-id'])), 'relay-replay': /^rpl_/, 'relay-attempt': '2' }, 'the id stays, attempts go on')
  }
  t.equal((await gateway.api('POST', '/api/v1/replays', {})).status, 400, 'no filter is no order')
  t.match(await replayed(gateway, { all: true, state: 'any' }), { matched: 24, delivered: 24 }, 'all is')
})

t.test('a fresh webhook-id is one for all attempts of the replay', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const gateway = await scene.inProcess(scene.home({ subscribers: [{ name: 'one', url: one.url, retry: ['10ms', '10ms'] }] }))
  const eventId = await accept(gateway, { taskId: 't' })
  await untilState(gateway, { eventId, subscriber: 'one' }, 'delivered')
  one.behave((response, { headers }) => { response.writeHead(headers['relay-attempt'] === '4' ? 204 : 500).end() })
  await replayed(gateway, { eventIds: [eventId], newId: true })

  const [, ...again] = idsOf(one.received)
  t.equal(again.length, 3)
  t.equal(new Set(again).size, 1, 'one id for the attempt and its retries')
  t.match(again[0], /^evt_[0-9A-Z]{26}$/)
  t.not(again[0], eventId, 'which nobody has seen before')
})

t.test('a replay goes no faster than it was told, and one that is cancelled stops', async t => {
  const { gateway, one } = await failedEvents(setScene(t))
  const before = one.received.length
  const began = Date.now()
  await replayed(gateway, { subscriber: 'one', ratePerSecond: 4 })
  const at = one.received.slice(before).map(received => received.at)
  t.equal(at.length, 12)
  t.ok(at[8]! - began >= 1_900, `the ninth came ${at[8]! - began} ms after the order`)

  const { json: { id } } = await gateway.api<{ id: string }>('POST', '/api/v1/replays', { subscriber: 'one', state: 'delivered', ratePerSecond: 1 })
  await one.waitFor(before + 13)
  const cancelled = await gateway.api<ReplayAnswer>('POST', `/api/v1/replays/${id}/cancel`)
  t.match(cancelled.json, { state: 'cancelled', matched: 12 })
  t.ok(cancelled.json.queued < 12, `after ${cancelled.json.queued} of 12`)
  // What comes after it tells that nothing of it comes any more.
  await replayed(gateway, { subscriber: 'one', state: 'delivered', ratePerSecond: 12 })
  const { json: later } = await gateway.api<ReplayAnswer>('GET', `/api/v1/replays/${id}`)
  t.match(later, { state: 'cancelled', queued: cancelled.json.queued })
  t.equal(one.received.length, before + 12 + cancelled.json.queued + 12)
})
