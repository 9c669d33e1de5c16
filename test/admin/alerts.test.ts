/** What an operator sees of alerts. */
import t from '../support/tap.js'
import { alertOf } from '../alerts/alert.js'
import { startApi, VIEWER } from './api.js'

t.test('alerts are listed with who knows of them', async t => {
  const alert = alertOf('spool-waiting', { since: 1_700_000_000_000, summary: '3 callbacks wait', figures: { callbacks: 3 } })
  const api = await startApi({ alerts: { current: async () => [alert, alertOf('subscriber-gone', { of: 'relay', subscriber: 'billing', severity: 'critical' })], toldOf: ({ name }) => name === 'spool-waiting' ? ['on-call'] : [], test: async () => [] } })
  t.teardown(api.close)
  const { status, json } = await api.get('/api/v1/alerts')
  t.equal(status, 200)
  t.strictSame(json, {
    items: [
      { name: 'spool-waiting', severity: 'warning', subscriber: null, summary: '3 callbacks wait', figures: { callbacks: 3 }, of: 'replica', since: '2023-11-14T22:13:20.000Z', toldTo: ['on-call'] },
      { name: 'subscriber-gone', severity: 'critical', subscriber: 'billing', summary: 'subscriber-gone is true', figures: {}, of: 'relay', since: '1970-01-01T00:00:00.000Z', toldTo: [] }
    ],
    nextCursor: null
  })
})

t.test('a test tells what each receiver said; a viewer may not order one', async t => {
  const said = [{ receiver: 'on-call', statusCode: 401, error: 'answered 401' }]
  const api = await startApi({ alerts: { current: async () => [], toldOf: () => [], test: async () => said } })
  t.teardown(api.close)
  t.match(await api.post('/api/v1/alerts/test'), { status: 200, json: { items: said } })
  t.match(await api.post('/api/v1/alerts/test', undefined, { headers: { authorization: `Bearer ${VIEWER}` } }), { status: 403 })
})

t.test('where nobody is to be told, a test says what to write', async t => {
  const api = await startApi()
  t.teardown(api.close)
  t.match(await api.post('/api/v1/alerts/test'), { status: 409, json: { detail: /alerts\.receivers/ } })
})
