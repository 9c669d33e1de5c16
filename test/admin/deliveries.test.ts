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
  const discard = async (body: object): Promise<unknown> => (await api.post('/api/v1/deliveries/discard', body)).json

  t.strictSame(await discard({ state: 'failed', dryRun: true }), { matched: 1, discarded: 0 })
  t.strictSame(await discard({ state: 'failed' }), { matched: 1, discarded: 1 })
  t.strictSame(await discard({ state: 'failed' }), { matched: 0, discarded: 0 })
  t.strictSame(await discard({ subscriber: ['billing'], dryRun: true }), { matched: 1, discarded: 0 }, 'neither what is delivered nor what is given up')
  t.strictSame(await discard({ taskId: 'delivered' }), { matched: 1, discarded: 1 })
  t.strictSame(await discard({ all: true }), { matched: 3, discarded: 3 })
  t.match((await api.get(`/api/v1/events/${delivered}`)).json, { deliveries: [{ state: 'delivered' }, { state: 'discarded' }] })
})

t.test('a discard reaches what waits for a subscriber that is configured no more', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await api.accept({ taskId: 'a' })
  await api.options.store.redis.sadd(api.options.store.keys.subscribers, 'billing', 'mailer')
  api.subscribers.shift()
  t.strictSame((await api.post('/api/v1/deliveries/discard', { subscriber: 'billing' })).json, { matched: 1, discarded: 1 })
})

t.test('a discard goes through more than one step', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await Promise.all(Array.from({ length: 450 }, async (_, n) => await api.accept({ taskId: `task-${n}` })))
  t.strictSame((await api.post('/api/v1/deliveries/discard', { subscriber: 'mailer' })).json, { matched: 450, discarded: 450 })
  t.strictSame(((await api.get('/api/v1/deliveries?state=queued&subscriber=mailer')).json as Page).items, [])
})
