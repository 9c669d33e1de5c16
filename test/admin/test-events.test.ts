import t from '../support/tap.js'
import type { Acceptance, Arrival } from '../../src/accept/arrival.js'
import { startApi, subscriberNamed } from './api.js'

interface Taken { eventId: string, status: string }

t.test('a test event is an event, flagged as a test', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const { status, json } = await api.post('/api/v1/test-events', { taskId: 'try', type: 'avatar', status: 2 })
  t.equal(status, 202)
  const { eventId } = json as Taken
  t.match(json, { eventId: /^evt_/, status: 'accepted' })
  t.match((await api.get(`/api/v1/events/${eventId}`)).json, {
    taskId: 'try', type: 'avatar', status: 2, flags: ['test'], deliveries: [{ subscriber: 'billing' }, { subscriber: 'mailer' }]
  })
})

t.test('without a word it is a new task each time', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const ids = new Set<string>()
  for (const body of [undefined, {}]) {
    const { eventId } = (await api.post('/api/v1/test-events', body)).json as Taken
    const { json } = await api.get(`/api/v1/events/${eventId}`)
    t.match(json, { taskId: /^test-/, type: 'test', status: 1 })
    ids.add((json as { taskId: string }).taskId)
  }
  t.equal(ids.size, 2)
})

t.test('the same test again is a duplicate, like every callback', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const first = (await api.post('/api/v1/test-events', { taskId: 'same' })).json as Taken
  const second = await api.post('/api/v1/test-events', { taskId: 'same' })
  t.equal(second.status, 202)
  t.strictSame(second.json, { eventId: first.eventId, status: 'duplicate' })
})

t.test('an object is sent as it is, and a text byte for byte', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const text = '{ "taskId": "exact", "status": 1, "type": "x", "n": 12345678901234567890 }'
  for (const [body, expected] of [
    [{ taskId: 'o', status: 1, type: 'x', deep: [{ a: null }] }, '{"taskId":"o","status":1,"type":"x","deep":[{"a":null}]}'],
    [text, text]
  ]) {
    const { eventId } = (await api.post('/api/v1/test-events', { body })).json as Taken
    t.equal((await api.get(`/api/v1/events/${eventId}/body`)).bytes.toString(), expected)
  }
})

t.test('with a subscriber it goes to that one only', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const { eventId } = (await api.post('/api/v1/test-events', { subscriber: 'mailer' })).json as Taken
  const { deliveries } = (await api.get(`/api/v1/events/${eventId}`)).json as { deliveries: Array<{ subscriber: string }> }
  t.strictSame(deliveries.map(({ subscriber }) => subscriber), ['mailer'])
})

const PICKY = subscriberNamed('picky', { match: { types: ['avatar', 'image*'], statuses: [1, 2], businessIds: ['tenant'], fields: { 'list[].n': ['1.0'] } } })
const MATCHING: ReadonlyArray<[says: string, body: object, status: number]> = [
  ['its type is not wanted', { type: 'video' }, 409],
  ['its status is not wanted', { type: 'avatar', status: 0 }, 409],
  ['it has no business id', { type: 'avatar' }, 409],
  ['a whole callback is not wanted', { body: { taskId: 'a', type: 'avatar', status: 1, businessId: 'other' } }, 409],
  ['a field of it is not wanted', { body: { taskId: 'a', type: 'avatar', status: 1, businessId: 'tenant', list: [{ n: 1 }] } }, 409],
  ['a whole callback is wanted', { body: '{"taskId":"a","type":"image-2","status":"2","businessId":"tenant","list":[{"n":1.0}]}' }, 202],
  ['a callback without a type is no callback', { body: { taskId: 'a', status: 1 } }, 400],
  ['a text that is no JSON is no callback', { body: 'hello' }, 400]
]
t.test('a test for one subscriber is refused when that one would not get it', async t => {
  const api = await startApi()
  t.teardown(api.close)
  api.subscribers.push(PICKY)
  for (const [says, body, status] of MATCHING) {
    const reply = await api.post('/api/v1/test-events', { ...body, subscriber: 'picky' })
    t.equal(reply.status, status, says)
    if (status === 409) t.match(reply.json, { detail: /types avatar, image\* and statuses 1, 2 and businessIds tenant and list\[\]\.n 1\.0/ })
  }
})

/** What accepting may say, and the answer. */
const TABLE: ReadonlyArray<[acceptance: Acceptance, status: number, json: object]> = [
  [{ kind: 'spooled' }, 202, { eventId: null, status: 'spooled' }],
  [{ kind: 'unavailable', reason: 'secret reason' }, 503, { detail: /could not be stored/ }],
  [{ kind: 'unreadable', field: 'taskId', problem: 'must not hold control characters' }, 400, { detail: /taskId must not hold/ }]
]
for (const [acceptance, status, json] of TABLE) {
  t.test(`${acceptance.kind} is ${status}`, async t => {
    const arrivals: Arrival[] = []
    const api = await startApi({ accept: async arrival => { arrivals.push(arrival); return acceptance } })
    t.teardown(api.close)
    const reply = await api.post('/api/v1/test-events', { subscriber: 'billing' })
    t.equal(reply.status, status)
    t.match(reply.json, json)
    t.notMatch(reply.bytes.toString(), 'secret reason')
    t.match(arrivals, [{ contentType: 'application/json', flags: ['test'], only: 'billing', receivedAt: Number }])
  })
}
