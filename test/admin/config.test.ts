import t from '../support/tap.js'
import type { Fault } from '../../src/config/fault.js'
import { startApi } from './api.js'

let outcome: { changed: string[] } | { faults: Fault[] } = { changed: [] }
let asked: object = {}
const api = await startApi({
  async reload (request) {
    asked = request
    return outcome
  }
})
t.teardown(api.close)

t.test('a reload says what changed', async t => {
  outcome = { changed: ['subscribers', 'dedupe.window'] }
  const { status, json } = await api.post('/api/v1/config/reload')
  t.equal(status, 200)
  t.strictSame(json, { changed: ['subscribers', 'dedupe.window'] })
})

t.test('a client that names a content type and sends nothing is understood', async t => {
  const { status } = await api.post('/api/v1/config/reload', undefined, { headers: { 'content-type': 'application/json' } })
  t.equal(status, 200)
})

t.test('whether subscribers may go is handed on', async t => {
  await api.post('/api/v1/config/reload', { allowRemovals: true })
  t.strictSame(asked, { allowRemovals: true })
  await api.post('/api/v1/config/reload')
  t.strictSame(asked, {})
  t.equal((await api.post('/api/v1/config/reload', { allowRemoval: true })).status, 400)
})

t.test('a refused reload is 422 with every fault', async t => {
  const faults = [
    { path: 'subscribers[0].url', message: 'is not a URL', line: 3, column: 5, hint: 'write http://…' },
    { path: 'ingest.listen', message: 'needs a restart', line: null, column: null }
  ]
  outcome = { faults }
  const { status, json, headers } = await api.post('/api/v1/config/reload')
  t.equal(status, 422)
  t.equal(headers['content-type'], 'application/problem+json')
  t.match(json, { status: 422, detail: /2 faults/, faults })
})
