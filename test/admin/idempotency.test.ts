import t from '../support/tap.js'
import { startApi, VIEWER } from './api.js'

let reload: () => Promise<{ changed: string[] }> = async () => ({ changed: [] })
const api = await startApi({
  reload: async () => await reload(),
  tokens: () => [
    { name: 'alice', value: 'operator-token-1', role: 'operator' },
    { name: 'bob', value: 'operator-token-2', role: 'operator' },
    { name: 'dashboard', value: VIEWER, role: 'viewer' }
  ]
})
t.teardown(api.close)

const keyed = (key: string): { headers: Record<string, string> } => ({ headers: { 'idempotency-key': key } })
const countReplays = async (): Promise<number> => ((await api.get('/api/v1/replays')).json as { items: unknown[] }).items.length

t.test('a POST that is sent twice is carried out once and answered the same', async t => {
  const before = await countReplays()
  const first = await api.post('/api/v1/replays', { all: true }, keyed('once'))
  const second = await api.post('/api/v1/replays', { all: true }, keyed('once'))
  t.equal(first.status, 202)
  t.equal(second.status, 202)
  t.strictSame(second.json, first.json)
  t.equal(second.headers.location, first.headers.location)
  t.equal(second.headers['content-type'], first.headers['content-type'])
  t.equal(second.headers['idempotency-replayed'], 'true')
  t.equal(first.headers['idempotency-replayed'], undefined)
  t.equal(await countReplays(), before + 1)
})

t.test('the same key for another body, or another route, is 422', async t => {
  await api.post('/api/v1/replays', { all: true }, keyed('reused'))
  t.equal((await api.post('/api/v1/replays', { state: 'any' }, keyed('reused'))).status, 422)
  t.equal((await api.post('/api/v1/test-events', {}, keyed('reused'))).status, 422)
})

t.test('while the first is under way the second is 409', async t => {
  let finish = (): void => {}
  const began = new Promise<void>(resolve => {
    reload = async () => {
      resolve()
      await new Promise<void>(resolve => { finish = resolve })
      return { changed: ['x'] }
    }
  })
  const first = api.post('/api/v1/config/reload', undefined, keyed('slow'))
  await began
  t.equal((await api.post('/api/v1/config/reload', undefined, keyed('slow'))).status, 409)
  finish()
  t.strictSame((await first).json, { changed: ['x'] })
  t.strictSame((await api.post('/api/v1/config/reload', undefined, keyed('slow'))).json, { changed: ['x'] })
})

t.test('what failed may be sent again under the same key', async t => {
  reload = async () => { throw new Error('boom') }
  t.equal((await api.post('/api/v1/config/reload', undefined, keyed('again'))).status, 500)
  reload = async () => ({ changed: ['better'] })
  t.strictSame((await api.post('/api/v1/config/reload', undefined, keyed('again'))).json, { changed: ['better'] })
  t.equal((await api.post('/api/v1/replays', { subscriber: 'nobody' }, keyed('mended'))).status, 400)
  t.equal((await api.post('/api/v1/replays', { subscriber: 'billing' }, keyed('mended'))).status, 202)
})

t.test('a key is of the token that sent it', async t => {
  const first = await api.post('/api/v1/replays', { all: true }, keyed('shared'))
  const other = await api.post('/api/v1/replays', { all: true }, { headers: { 'idempotency-key': 'shared', authorization: 'Bearer operator-token-2' } })
  t.equal(other.status, 202)
  t.notSame(other.json, first.json)
})

t.test('a key is forgotten after a day, and sooner when its process died', async t => {
  await api.post('/api/v1/replays', { all: true }, keyed('timed'))
  const { store: { redis } } = api.options
  const slots = await redis.keys('{test}:idempotency:*')
  t.ok(slots.length > 0)
  for (const slot of slots) {
    const left = await redis.pttl(slot)
    t.ok(left > 0 && left <= 24 * 3_600_000, `${left}`)
  }
})

for (const [says, key] of [['empty', ''], ['endless', 'x'.repeat(256)]] as const) {
  t.test(`a key that is ${says} is 400`, async t => {
    const { status, json } = await api.post('/api/v1/replays', { all: true }, keyed(key))
    t.equal(status, 400)
    t.match(json, { detail: /Idempotency-Key takes/ })
  })
}

t.test('a GET has no use for a key', async t => {
  t.equal((await api.get('/api/v1/events', keyed('once'))).status, 200)
})

t.test('a path that is not there is not there with a key either', async t => {
  t.equal((await api.app.inject({ method: 'POST', url: '/nothing', headers: { 'idempotency-key': 'a' } })).statusCode, 404)
})

t.test('an answer that cannot be kept is given all the same', async t => {
  reload = async () => {
    await api.redis.kill()
    return { changed: ['done'] }
  }
  const { status, json } = await api.post('/api/v1/config/reload', undefined, keyed('unlucky'))
  t.equal(status, 200)
  t.strictSame(json, { changed: ['done'] })
  t.match(api.facts.at(-1), { fact: 'admin.failed', error: /not kept/ })
})

t.test('a full Redis keeps nobody from ordering under a key what makes room', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await api.redis.client().config('SET', 'maxmemory', '1')
  const discard = async (): ReturnType<typeof api.post> => await api.post('/api/v1/deliveries/discard', { state: 'failed' }, keyed('room'))
  const [first, second] = [await discard(), await discard()]
  t.match([first.status, second.status, second.headers['idempotency-replayed']], [202, 202, 'true'])
  t.strictSame(second.json, first.json)
})
