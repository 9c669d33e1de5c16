/** Purges, as the admin API takes them; what they do is in test/replay/purge.test.ts. */
import t from '../support/tap.js'
import { startApi } from './api.js'

t.test('a purge is taken, looked at among the orders, and deletes what it names', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const kept = await api.accept({ taskId: 'kept', businessId: 'other' })
  const purged = await api.accept({ taskId: 'purged', businessId: 'tenant' })
  t.strictSame((await api.post('/api/v1/purge', { businessId: 'tenant', dryRun: true })).json, { id: null, matched: 1 })
  const { status, json, headers } = await api.post('/api/v1/purge', { taskId: 'purged' })
  const { id } = json as { id: string }
  t.match({ status, json, headers }, { status: 202, json: { id: /^ord_/, matched: null }, headers: { location: `/api/v1/replays/${id}` } })
  t.match((await api.post(`/api/v1/replays/${id}/cancel`)).json, { id, kind: 'purge', state: 'cancelled', purged: 0 })
  t.match(await api.carryOut('/api/v1/purge', { businessId: ['tenant'] }), { kind: 'purge', state: 'done', matched: 1, purged: 1 })
  t.equal((await api.get(`/api/v1/events/${purged}`)).status, 404)
  t.equal((await api.get(`/api/v1/events/${kept}`)).status, 200)
})

const REFUSED: ReadonlyArray<[says: string, body: object, detail: RegExp]> = [
  ['nothing', {}, /at least one of taskId, businessId and until/],
  ['a dry run of nothing', { dryRun: true }, /at least one of taskId, businessId and until/],
  ['everything', { all: true }, /all/],
  ['what it does not filter by', { subscriber: 'billing' }, /subscriber/],
  ['a time that is none', { until: 'soon' }, /until takes a time/]
]
for (const [says, body, detail] of REFUSED) {
  t.test(`a purge of ${says} is refused`, async t => {
    const api = await startApi()
    t.teardown(api.close)
    t.match(await api.post('/api/v1/purge', body), { status: 400, json: { detail } })
  })
}

t.test('a purge that is done can be cancelled no more', async t => {
  const api = await startApi()
  t.teardown(api.close)
  await api.accept({ taskId: 'a' })
  const { id } = await api.carryOut('/api/v1/purge', { taskId: 'a' }) as { id: string }
  t.match(await api.post(`/api/v1/replays/${id}/cancel`), { status: 409, json: { detail: /This purge is done: everything has been deleted already/ } })
})
