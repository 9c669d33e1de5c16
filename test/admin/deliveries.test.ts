import t from '../support/tap.js'
import { subscriberNamed, startApi, type Api } from './api.js'

interface Item { eventId: string, subscriber: string, state: string }
interface Page { items: Item[], nextCursor: string | null }

const label = ({ eventId, subscriber }: Item): string => `${eventId} ${subscriber}`

/** Follows the cursor to the end; `between` runs after each page. */
async function readAll (api: Api, query: string, between: (page: number) => Promise<unknown> = async () => {}): Promise<{ pages: Item[][], ended: boolean }> {
  const pages: Item[][] = []
  let cursor: string | null = null
  for (let page = 0; page < 200; page++) {
    const { json } = await api.get(`/api/v1/deliveries?${query}${cursor === null ? '' : `&cursor=${cursor}`}`)
    const { items, nextCursor } = json as Page
    pages.push(items)
    if (nextCursor === null) return { pages, ended: true }
    cursor = nextCursor
    await between(page)
  }
  return { pages, ended: false }
}

t.test('a delivery carries what its event is', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const eventId = await api.accept({ taskId: 'task-1', status: 2, type: 'avatar' })
  await api.attempt(eventId, 'mailer', { state: 'failed', reason: 'exhausted' }, { statusCode: 500, error: 'HTTP 500' })
  const { json } = await api.get('/api/v1/deliveries?state=failed')
  t.strictSame(json, {
    items: [{
      eventId, taskId: 'task-1', type: 'avatar', status: 2, subscriber: 'mailer', state: 'failed', heldBy: null, attempts: 1, nextAttemptAt: null, lastStatusCode: 500, lastError: 'HTTP 500', deliveredAt: null
    }],
    nextCursor: null
  })
})

t.test('pages of every size hold no more than asked, miss nothing and repeat nothing while events arrive', async t => {
  const api = await startApi()
  t.teardown(api.close)
  api.subscribers.push(subscriberNamed('third', { match: { types: ['avatar'], statuses: [], businessIds: [] } }))
  const expected: string[] = []
  for (let n = 0; n < 9; n++) {
    const type = n % 2 === 0 ? 'avatar' : 'video'
    const eventId = await api.accept({ taskId: `task-${n}`, type })
    const names = ['billing', 'mailer', ...(type === 'avatar' ? ['third'] : [])]
    expected.unshift(...names.map(subscriber => `${eventId} ${subscriber}`))
  }
  for (const limit of [1, 2, 3, 4, 5, 7, 22, 23, 24, 500]) {
    const { pages, ended } = await readAll(api, `limit=${limit}`, async page => {
      if (page === 1) await api.accept({ taskId: `later-${limit}` })
    })
    t.ok(ended)
    t.ok(pages.every(page => page.length <= limit), `limit ${limit}`)
    const older = pages.flat().map(label).filter(text => expected.includes(text))
    t.strictSame(older, expected, `limit ${limit}`)
  }
})

t.test('a filter picks deliveries, not all those of an event', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const ids: string[] = []
  for (let n = 0; n < 4; n++) ids.unshift(await api.accept({ taskId: `task-${n}` }))
  await api.attempt(ids[1]!, 'billing', { state: 'failed', reason: 'exhausted' })
  await api.attempt(ids[3]!, 'billing', { state: 'failed', reason: 'exhausted' })
  await api.attempt(ids[3]!, 'mailer', { state: 'failed', reason: 'exhausted' })

  const TABLE: ReadonlyArray<[query: string, expected: string[]]> = [
    ['subscriber=mailer', ids.map(id => `${id} mailer`)],
    ['state=failed', [`${ids[1]} billing`, `${ids[3]} billing`, `${ids[3]} mailer`]],
    ['state=failed&subscriber=mailer', [`${ids[3]} mailer`]],
    ['state=queued&subscriber=billing', [`${ids[0]} billing`, `${ids[2]} billing`]],
    ['taskId=task-0', [`${ids[3]} billing`, `${ids[3]} mailer`]],
    ['subscriber=nobody', []]
  ]
  for (const [query, expected] of TABLE) {
    for (const limit of [1, 2, 50]) {
      const { pages } = await readAll(api, `${query}&limit=${limit}`)
      t.strictSame(pages.flat().map(label), expected, `${query} by ${limit}`)
    }
  }
})

t.test('a delivery that leaves the filter between two pages moves no other', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const eventId = await api.accept({ taskId: 'task-1' })
  const { pages } = await readAll(api, 'state=queued&limit=1', async page => {
    if (page === 0) await api.attempt(eventId, 'billing', { state: 'delivered' })
  })
  t.strictSame(pages.flat().map(({ subscriber }) => subscriber), ['billing', 'mailer'])
})

t.test('an event that vanishes between two pages hides nothing of the next', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const older = await api.accept({ taskId: 'older' })
  const newer = await api.accept({ taskId: 'newer' })
  const { store: { redis, keys } } = api.options
  const { pages } = await readAll(api, 'limit=1', async page => {
    if (page === 0) await redis.multi().del(keys.event(newer)).zrem(keys.events, newer).exec()
  })
  t.strictSame(pages.flat().map(label), [`${newer} billing`, `${older} billing`, `${older} mailer`])
})

t.test('events that nobody wanted do not end a list', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const wanted = await api.accept({ taskId: 'wanted' })
  api.subscribers.length = 0
  for (let n = 0; n < 6; n++) await api.accept({ taskId: `unwanted-${n}` })
  const { pages, ended } = await readAll(api, 'limit=2')
  t.ok(ended)
  t.strictSame(pages.flat().map(label), [`${wanted} billing`, `${wanted} mailer`])
})

t.test('a discard gives up exactly what fits, and a dry run nothing', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const failed = await api.accept({ taskId: 'failed' })
  const delivered = await api.accept({ taskId: 'delivered' })
  await api.accept({ taskId: 'queued' })
  await api.attempt(failed, 'billing', { state: 'failed', reason: 'exhausted' })
  await api.attempt(delivered, 'billing', { state: 'delivered' })
  const counted = async (body: object): Promise<unknown> => (await api.post('/api/v1/deliveries/discard', { ...body, dryRun: true })).json
  const discard = async (body: object): Promise<unknown> => await api.carryOut('/api/v1/deliveries/discard', body)
  const done = (count: number): object => ({ kind: 'discard', state: 'done', matched: count, discarded: count, queued: 0, delivered: 0, failed: 0 })

  t.strictSame(await counted({ state: 'failed' }), { id: null, matched: 1 })
  t.match(await discard({ state: 'failed' }), done(1))
  t.match(await discard({ state: 'failed' }), done(0))
  t.strictSame(await counted({ subscriber: ['billing'] }), { id: null, matched: 1 }, 'neither what is delivered nor what is given up')
  t.match(await discard({ taskId: 'delivered' }), done(1))
  t.strictSame(await counted({ all: true }), { id: null, matched: 3 })
  t.match(await discard({ all: true }), done(3))
  t.match((await api.get(`/api/v1/events/${delivered}`)).json, { deliveries: [{ state: 'delivered' }, { state: 'discarded' }] })
})

t.test('a discard reaches what waits for a subscriber that is configured no more', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await api.accept({ taskId: 'a' })
  const { redis, keys } = api.options.store
  await redis.sadd(keys.subscribers, 'billing', 'mailer')
  api.subscribers.shift()
  t.match(await api.carryOut('/api/v1/deliveries/discard', { subscriber: 'billing' }), { matched: 1, discarded: 1 })
  t.equal(await redis.exists(`${keys.queuePrefix}:billing:wait`), 0, 'and leaves nothing in a line that nobody works')
})

t.test('a discard goes through more than one step', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await Promise.all(Array.from({ length: 450 }, async (_, n) => await api.accept({ taskId: `task-${n}` })))
  t.match(await api.carryOut('/api/v1/deliveries/discard', { subscriber: 'mailer' }), { matched: 450, discarded: 450 })
  t.strictSame(((await api.get('/api/v1/deliveries?state=queued&subscriber=mailer')).json as Page).items, [])
})

t.test('a discard is answered 202 with where to look, whatever it means, and the runner is woken', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await api.accept({ taskId: 'a' })
  const { status, json, headers } = await api.post('/api/v1/deliveries/discard', { state: 'queued', since: '1h' })
  const { id } = json as { id: string }
  t.equal(status, 202)
  t.strictSame(json, { id, matched: null })
  t.match(id, /^ord_[0-9A-Z]{26}$/)
  t.equal(headers.location, `/api/v1/replays/${id}`)
  t.equal(api.woken(), 1)
  t.match((await api.get(String(headers.location))).json, { id, kind: 'discard', state: 'running', matched: null, discarded: 0, finishedAt: null })
  t.match((await api.post(`${String(headers.location)}/cancel`)).json, { id, state: 'cancelled' })
  t.match((await api.get('/api/v1/deliveries?state=queued')).json, { items: [{}, {}] }, 'nothing of it was done')
})

t.test('a release lets go what is held for a reason of its event, and says what it takes', async t => {
  const api = await startApi()
  t.teardown(api.close)
  api.dedupe.onConflict = 'hold'
  await api.accept({ taskId: 'a', url: 'one' })
  const held = await api.accept({ taskId: 'a', url: 'two' })
  await api.post('/api/v1/subscribers/mailer/pause')
  t.strictSame((await api.post('/api/v1/deliveries/release', { all: true, dryRun: true })).json, { id: null, matched: 2 })
  t.match(await api.carryOut('/api/v1/deliveries/release', { subscriber: 'billing' }), { kind: 'release', state: 'done', matched: 1, queued: 1, discarded: 0, purged: 0 })
  t.match((await api.get(`/api/v1/events/${held}`)).json, { deliveries: [{ subscriber: 'billing', state: 'queued' }, { subscriber: 'mailer', state: 'held', heldBy: 'conflict' }] })
  t.match(await api.post('/api/v1/deliveries/release', {}), { status: 400, json: { detail: /at least one filter/ } })
  t.match(await api.post('/api/v1/deliveries/release', { subscriber: 'x' }), { status: 400, json: { detail: /no subscriber "x"/ } })
  const { id } = (await api.post('/api/v1/deliveries/release', { all: true })).json as { id: string }
  t.match((await api.post(`/api/v1/replays/${id}/cancel`)).json, { kind: 'release', state: 'cancelled' })
})
