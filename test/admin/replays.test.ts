import t from '../support/tap.js'
import { replayCursor } from '../../src/admin/cursor.js'
import { createReplayRunner } from '../../src/replay/run.js'
import { finishReplay } from '../../src/replay/replays.js'
import { startApi, type Api } from './api.js'
import { until } from '../support/until.js'

interface Ordered { id: string | null, matched: number }
interface Page { items: Array<{ id: string }>, nextCursor: string | null }

/** Three events: failed for billing and delivered to mailer; waiting; given up by both. */
async function seed (api: Api): Promise<{ failed: string, waiting: string, discarded: string }> {
  const failed = await api.accept({ taskId: 'failed', status: 2, type: 'avatar' })
  const waiting = await api.accept({ taskId: 'waiting', status: 1, type: 'video', businessId: 'tenant' })
  const discarded = await api.accept({ taskId: 'discarded', status: 1, type: 'avatar' })
  await api.attempt(failed, 'billing', { state: 'failed', reason: 'exhausted' }, { statusCode: 500 })
  await api.attempt(failed, 'mailer', { state: 'delivered' })
  await api.attempt(waiting, 'mailer', { state: 'retrying', waitMs: 60_000 }, { statusCode: 500 })
  await api.post(`/api/v1/events/${discarded}/discard`)
  return { failed, waiting, discarded }
}

t.test('every order means what it says', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const { failed, discarded } = await seed(api)
  const TABLE: ReadonlyArray<[body: object, matched: number]> = [
    [{ all: true }, 1],
    [{ state: 'failed' }, 1],
    [{ subscriber: 'billing' }, 1],
    [{ subscriber: 'mailer' }, 0],
    [{ subscriber: 'billing,mailer' }, 1],
    [{ subscriber: ['billing', 'mailer'] }, 1],
    [{ state: 'delivered' }, 1],
    [{ state: 'discarded' }, 2],
    [{ state: 'retrying' }, 1],
    [{ state: 'any' }, 5],
    [{ state: 'any', subscriber: 'mailer' }, 3],
    [{ state: 'held' }, 0],
    [{ state: 'missing', subscriber: 'mailer' }, 0],
    [{ taskId: 'failed' }, 2],
    [{ taskId: ['failed', 'discarded'] }, 4],
    [{ taskId: 'waiting' }, 0],
    [{ taskId: 'failed', state: 'failed' }, 1],
    [{ eventIds: [failed] }, 2],
    [{ eventIds: `${failed},${discarded}`, subscriber: 'mailer' }, 2],
    [{ status: 2 }, 1],
    [{ status: '1,2' }, 1],
    [{ status: [1] }, 0],
    [{ type: 'ava*' }, 1],
    [{ type: 'video', state: 'any' }, 1],
    [{ businessId: 'tenant', state: 'any' }, 1],
    [{ flag: 'late', state: 'any' }, 0],
    [{ since: '1h' }, 1],
    [{ until: '1h' }, 0],
    [{ since: '2099-01-01T00:00:00Z' }, 0]
  ]
  for (const [body, matched] of TABLE) {
    const { status, json } = await api.post('/api/v1/replays', { ...body, dryRun: true })
    t.equal(status, 200, JSON.stringify(body))
    t.strictSame(json, { id: null, matched }, JSON.stringify(body))
  }
  t.equal(api.woken(), 0)
  t.strictSame((await api.get('/api/v1/replays')).json, { items: [], nextCursor: null }, 'a dry run leaves nothing')
})

t.test('an entry of an array is taken as it is, a comma and all', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const id = await api.accept({ taskId: 'a,b' })
  await api.attempt(id, 'billing', { state: 'failed', reason: 'exhausted' })
  t.strictSame((await api.post('/api/v1/replays', { taskId: ['a,b'], dryRun: true })).json, { id: null, matched: 1 })
  t.strictSame((await api.post('/api/v1/replays', { taskId: 'a,b', dryRun: true })).json, { id: null, matched: 0 })
})

t.test('an order is answered 202 with where to look, and the runner is woken', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await seed(api)
  const { status, json, headers } = await api.post('/api/v1/replays', { state: 'any', newId: true, ratePerSecond: 5 })
  const { id, matched } = json as Ordered
  t.equal(status, 202)
  t.match(id, /^rpl_[0-9A-Z]{26}$/)
  t.equal(matched, 5)
  t.equal(headers.location, `/api/v1/replays/${id}`)
  t.equal(api.woken(), 1)
  const shown = await api.get(String(headers.location))
  t.match(shown.json, { id, state: 'running', matched: 5, queued: 0, delivered: 0, failed: 0, discarded: 0, createdAt: /Z$/, finishedAt: null })
  const stored = await api.options.store.redis.hget(api.options.store.keys.replay(String(id)), 'order')
  t.match(JSON.parse(stored!), { state: 'any', newId: true, ratePerSecond: 5, filter: {} })
})

t.test('a backfill finds what a new subscriber never had', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await seed(api)
  api.subscribers.push({ ...api.subscribers[0]!, name: 'newcomer', match: { types: ['avatar'], statuses: [], businessIds: [] } })
  t.strictSame((await api.post('/api/v1/replays', { state: 'missing', subscriber: 'newcomer', dryRun: true })).json, { id: null, matched: 2 })
})

t.test('replays are listed newest first, page by page', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const ids: string[] = []
  for (let n = 0; n < 5; n++) {
    const { json } = await api.post('/api/v1/replays', { all: true })
    ids.unshift((json as { id: string }).id)
    const made = Date.now()
    while (Date.now() === made) await new Promise(resolve => { setImmediate(resolve) })
  }
  const seen: string[] = []
  let cursor: string | null = null
  for (let page = 0; page < 10 && (page === 0 || cursor !== null); page++) {
    const { json } = await api.get(`/api/v1/replays?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)
    seen.push(...(json as Page).items.map(({ id }) => id))
    cursor = (json as Page).nextCursor
  }
  t.strictSame(seen, ids)
})

t.test('a page that begins at a replay forgotten meanwhile ends the list instead of beginning it again', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await api.post('/api/v1/replays', { all: true })
  const cursor = replayCursor('rpl_01ARZ3NDEKTSV4RRFFQ69G5FAV')
  t.strictSame((await api.get(`/api/v1/replays?cursor=${cursor}`)).json, { items: [], nextCursor: null })
})

t.test('what is given up after a replay put it back is counted, so that its end can be seen', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await seed(api)
  const { id } = (await api.post('/api/v1/replays', { state: 'failed' })).json as { id: string }
  const runner = createReplayRunner({ ...api.options, report: () => {} })
  runner.start()
  t.teardown(runner.stop)
  await until('the replay is done', async () => {
    const { json } = await api.get(`/api/v1/replays/${id}`)
    return (json as { state: string }).state === 'done'
  })
  await api.post('/api/v1/deliveries/discard', { taskId: 'failed' })
  t.match((await api.get(`/api/v1/replays/${id}`)).json, { state: 'done', matched: 1, queued: 1, delivered: 0, failed: 0, discarded: 1 })
})

t.test('a replay is cancelled, twice if need be, but not when it is done', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const order = async (): Promise<string> => ((await api.post('/api/v1/replays', { all: true })).json as { id: string }).id
  const first = await order()
  for (const time of ['once', 'twice']) {
    const { status, json } = await api.post(`/api/v1/replays/${first}/cancel`)
    t.equal(status, 200, time)
    t.match(json, { id: first, state: 'cancelled', finishedAt: /Z$/ })
  }
  const second = await order()
  await finishReplay(api.options.store, second, 'done')
  const { status, json } = await api.post(`/api/v1/replays/${second}/cancel`)
  t.equal(status, 409)
  t.match(json, { detail: /done/ })
  t.match((await api.get(`/api/v1/replays/${second}`)).json, { state: 'done' })
})
