import t from '../support/tap.js'
import { startApi } from './api.js'

interface Entry { subscriber: string, state: string, heldBy: string | null, attempts: number, nextAttemptAt: string | null }
interface Event { id: string, taskId: string, receivedAt: string, deliveries: Entry[] }
interface Page { items: Event[], nextCursor: string | null }

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

t.test('a comma within a value is written with a backslash, in a query and in a body', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const ids = new Map<string, string>()
  for (const taskId of ['a,b', 'a', 'b', 'a\\', 'a\\,b', 'a\\b']) ids.set(taskId, await api.accept({ taskId }))
  const TABLE: ReadonlyArray<[written: string, taskIds: string[]]> = [
    ['a,b', ['a', 'b']],
    ['a\\,b', ['a,b']],
    ['a\\,b,b', ['a,b', 'b']],
    ['a\\\\\\,b', ['a\\,b']],
    ['a\\\\,b', ['a\\', 'b']],
    ['a\\b', ['a\\b']],
    ['a\\', ['a\\']]
  ]
  for (const [written, taskIds] of TABLE) {
    const { json } = await api.get(`/api/v1/events?taskId=${encodeURIComponent(written)}`)
    t.strictSame((json as Page).items.map(({ id }) => id).sort(), taskIds.map(taskId => ids.get(taskId)).sort(), written)
    t.match((await api.post('/api/v1/replays', { taskId: written, dryRun: true })).json, { matched: Number }, 'an order reads it as well')
  }
  for (const written of ['', ',', 'a,', 'a\\,b,']) t.equal((await api.get(`/api/v1/events?taskId=${encodeURIComponent(written)}`)).status, 400, written)
})

t.test('an event is shown with its deliveries, as the contract says', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const id = await api.accept({ taskId: 'task-1', status: 2, type: 'avatar', businessId: 'tenant' })
  await api.attempt(id, 'billing', { state: 'delivered' })
  const { status, json, headers } = await api.get('/api/v1/events')
  t.equal(status, 200)
  t.match(headers, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-type': /^application\/json/ })
  t.notOk(Object.keys(headers).some(name => name.startsWith('access-control')), 'no other origin is allowed anything')
  const { items: [event], nextCursor } = json as Page
  t.equal(nextCursor, null)
  t.match(event, { receivedAt: ISO })
  t.strictSame({ ...event, receivedAt: '', size: 0 }, {
    id,
    taskId: 'task-1',
    status: 2,
    type: 'avatar',
    businessId: 'tenant',
    receivedAt: '',
    revision: 1,
    flags: [],
    duplicates: 0,
    size: 0,
    deliveries: [
      { ...event!.deliveries[0]!, subscriber: 'billing', state: 'delivered', heldBy: null, attempts: 1, nextAttemptAt: null, lastStatusCode: 200, lastError: null },
      { subscriber: 'mailer', state: 'queued', heldBy: null, attempts: 0, nextAttemptAt: event!.deliveries[1]!.nextAttemptAt, lastStatusCode: null, lastError: null, deliveredAt: null }
    ]
  })
  t.match(event!.deliveries[0], { deliveredAt: ISO })
  t.match(event!.deliveries[1], { nextAttemptAt: ISO })
})

t.test('a waiting delivery of a paused subscriber is shown as held, with no next attempt', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const id = await api.accept({ taskId: 'task-1' })
  await api.attempt(id, 'billing', { state: 'retrying', waitMs: 60_000 }, { statusCode: 500, error: 'HTTP 500' })
  await api.post('/api/v1/subscribers/billing/pause')
  const { json } = await api.get('/api/v1/events')
  t.match((json as Page).items[0]!.deliveries[0], { state: 'held', heldBy: 'pause', nextAttemptAt: null, lastStatusCode: 500, lastError: 'HTTP 500' })
})

t.test('one event is shown with every attempt, oldest first', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const id = await api.accept({ taskId: 'task-1' })
  await api.attempt(id, 'mailer', { state: 'retrying', waitMs: 0 }, { statusCode: 503, error: 'HTTP 503' })
  const made = Date.now()
  while (Date.now() === made) await new Promise(resolve => { setImmediate(resolve) })
  await api.attempt(id, 'billing', { state: 'delivered' })
  const { json } = await api.get(`/api/v1/events/${id}`)
  const { attempts, deliveries } = json as { attempts: object[], deliveries: Entry[] }
  t.equal(deliveries.length, 2)
  t.match(attempts, [
    { subscriber: 'mailer', number: 1, at: ISO, statusCode: 503, error: 'HTTP 503', latencyMs: 12, responseExcerpt: 'hello', replayId: null },
    { subscriber: 'billing', number: 1, at: ISO, statusCode: 200, error: null }
  ])
})

t.test('the body of an event is given byte for byte, as a download', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const bytes = Buffer.from('{ "taskId":"t",\n\t"status":1, "type":"avatar", "n":12345678901234567890, "x":"<script>\u{1f600}" }')
  const acceptance = await api.options.accept({ body: bytes, contentType: 'text/html', receivedAt: Date.now(), flags: [] })
  if (acceptance.kind !== 'accepted') throw new Error('not accepted')
  const { status, headers, bytes: given } = await api.get(`/api/v1/events/${acceptance.eventId}/body`)
  t.equal(status, 200)
  t.strictSame(given, bytes)
  t.match(headers, {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'content-length': String(bytes.length)
  })
})

t.test('every filter finds what it says, and nothing else', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const video = await api.accept({ taskId: 'a', status: 1, type: 'videoEnhancer', businessId: 'one' })
  const avatar = await api.accept({ taskId: 'b', status: 2, type: 'avatar', businessId: 'two' })
  const running = await api.accept({ taskId: 'c', status: 0, type: 'avatarBig' })
  const late = await api.accept({ taskId: 'a', status: 0, type: 'videoEnhancer', businessId: 'one' })
  await api.attempt(avatar, 'billing', { state: 'failed', reason: 'exhausted' }, { statusCode: 500 })
  await api.attempt(video, 'mailer', { state: 'delivered' })
  const all = [late, running, avatar, video]

  const TABLE: ReadonlyArray<[query: string, ids: string[]]> = [
    ['', all],
    ['taskId=a', [late, video]],
    ['taskId=a,b', [late, avatar, video]],
    ['taskId=nothing', []],
    ['type=avatar', [avatar]],
    ['type=avatar*', [running, avatar]],
    ['type=avatar,video*', [late, avatar, video]],
    ['status=0', [late, running]],
    ['status=1,2', [avatar, video]],
    ['businessId=two', [avatar]],
    ['flag=late', [late]],
    ['flag=late,test', [late]],
    ['subscriber=billing', [running, avatar, video]],
    ['state=failed', [avatar]],
    ['state=delivered', [video]],
    ['state=failed,delivered', [avatar, video]],
    ['state=failed&subscriber=mailer', []],
    ['state=delivered&subscriber=mailer', [video]],
    ['since=1h', all],
    ['until=1h', []],
    ['since=2099-01-01', []],
    ['until=2099-01-01T00:00:00Z', all],
    ['taskId=a&status=1', [video]],
    ['taskId=a&state=delivered', [video]]
  ]
  for (const [query, ids] of TABLE) {
    const { status, json } = await api.get(`/api/v1/events?${query}`)
    t.equal(status, 200, query)
    t.strictSame((json as Page).items.map(({ id }) => id), ids, query)
  }
})

t.test('a page of a task says how many events the task has', async t => {
  const api = await startApi()
  t.teardown(api.close)
  for (const n of [1, 2, 3]) await api.accept({ taskId: 'a', n })
  await api.accept({ taskId: 'b' })
  const totalOf = async (query: string): Promise<unknown> => (await api.get(`/api/v1/events?limit=1&${query}`)).json
  t.match(await totalOf('taskId=a'), { items: [{ taskId: 'a' }], nextCursor: String, total: 3 })
  t.match(await totalOf('taskId=a,b,nothing'), { total: 4 })
  t.match(await totalOf('taskId=nothing'), { items: [], nextCursor: null, total: 0 })
  t.notMatch(await totalOf('taskId=a&status=1'), { total: Number }, 'what other filters leave is not counted')
  t.notMatch(await totalOf('type=avatar'), { total: Number })
})

t.test('pages follow one another without a gap or a duplicate while events arrive', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const ids: string[] = []
  for (let n = 0; n < 25; n++) ids.push(await api.accept({ taskId: `task-${n}` }))
  const seen: string[] = []
  let cursor: string | null = null
  for (let page = 0; page < 30 && (page === 0 || cursor !== null); page++) {
    const { json } = await api.get(`/api/v1/events?limit=4${cursor === null ? '' : `&cursor=${cursor}`}`)
    const { items, nextCursor } = json as Page
    t.ok(items.length <= 4)
    seen.push(...items.map(({ id }) => id))
    cursor = nextCursor
    await api.accept({ taskId: `newer-${page}` })
  }
  t.equal(cursor, null)
  t.strictSame(seen, ids.reverse())
})

t.test('fifty rows is a page when nothing is said', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await Promise.all(Array.from({ length: 51 }, async (_, n) => await api.accept({ taskId: `task-${n}` })))
  t.equal(((await api.get('/api/v1/events')).json as Page).items.length, 50)
  t.equal(((await api.get('/api/v1/events?limit=500')).json as Page).items.length, 51)
})

t.test('an event on hold is released once, or given up', async t => {
  const api = await startApi()
  t.teardown(api.close)
  api.dedupe.onConflict = 'hold'
  await api.accept({ taskId: 'a', n: 1 })
  const held = await api.accept({ taskId: 'a', n: 2 })
  const other = await api.accept({ taskId: 'a', n: 3 })
  t.match((await api.get(`/api/v1/events/${held}`)).json, { deliveries: [{ state: 'held', heldBy: 'conflict' }, {}] })

  t.strictSame((await api.post(`/api/v1/events/${held}/release`)).json, { released: 2 })
  t.strictSame((await api.post(`/api/v1/events/${held}/release`)).json, { released: 0 })
  t.match((await api.get(`/api/v1/events/${held}`)).json, { deliveries: [{ state: 'queued', heldBy: null }, { state: 'queued' }] })

  t.strictSame((await api.post(`/api/v1/events/${other}/discard`)).json, { discarded: 2 })
  t.strictSame((await api.post(`/api/v1/events/${other}/discard`)).json, { discarded: 0 })
  t.match((await api.get(`/api/v1/events/${other}`)).json, { deliveries: [{ state: 'discarded', heldBy: null }, {}] })
})
