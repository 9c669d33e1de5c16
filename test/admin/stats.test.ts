import t from 'tap'
import { setHold } from '../../src/record/holds.js'
import { startApi } from './api.js'

t.test('the numbers are those of the record', async t => {
  const api = await startApi()
  t.teardown(api.close)
  const first = await api.accept({ taskId: 'a' })
  await api.accept({ taskId: 'b' })
  await api.attempt(first, 'billing', { state: 'failed', reason: 'exhausted' })
  await api.attempt(first, 'mailer', { state: 'delivered' })
  await api.post('/api/v1/test-events', { taskId: 'c' })
  await api.post('/api/v1/test-events', { taskId: 'c' })
  await setHold(api.options.store, 'mailer', 'pause')
  const { status, json } = await api.get('/api/v1/stats')
  t.equal(status, 200)
  t.match(json, {
    counters: { accepted: 3, duplicates: 1, delivered: 1, failed: 1 },
    events: 3,
    backlog: { open: 4, held: 0, failed: 1, oldestWaitingAt: /Z$/ },
    subscribers: { total: 2, configured: 2, onHold: 1, withFailed: 1 },
    process: { version: '1.2.3', startedAt: /Z$/, uptimeSeconds: 5, pid: 42, redis: 'managed', configFile: 'config/relay.yaml', rssBytes: Number, heapUsedBytes: Number }
  })
})

t.test('an empty record has numbers too', async t => {
  const api = await startApi()
  t.teardown(api.close)
  t.match((await api.get('/api/v1/stats')).json, { events: 0, backlog: { open: 0, oldestWaitingAt: null }, subscribers: { configured: 2 } })
})
