import t from '../support/tap.js'
import type { AdminOptions } from '../../src/admin/app.js'
import { startApi } from './api.js'

type Health = Awaited<ReturnType<AdminOptions['health']>>

let health: Health
const api = await startApi({ health: async () => health })
t.teardown(api.close)

const TABLE: ReadonlyArray<[says: string, health: Health, status: number, json: object]> = [
  ['ready', { ready: true, status: 'ok', reasons: [] }, 200, { status: 'ok', reasons: [] }],
  ['degraded is ready', { ready: true, status: 'degraded', reasons: ['billing fails'] }, 200, { status: 'degraded', reasons: ['billing fails'] }],
  ['not ready', { ready: false, status: 'degraded', reasons: ['stopping'] }, 503, { status: 'unavailable', reasons: ['stopping'] }]
]
for (const [says, now, status, json] of TABLE) {
  t.test(`${says}: ${status}, without a token`, async t => {
    health = now
    const reply = await api.app.inject('/readyz')
    t.equal(reply.statusCode, status)
    t.strictSame(reply.json(), json)
    t.equal(reply.headers['cache-control'], 'no-store')
  })
}

t.test('the process lives, whatever else does not', async t => {
  health = { ready: false, status: 'degraded', reasons: ['x'] }
  await api.redis.kill()
  const reply = await api.app.inject('/healthz?probe=1')
  t.equal(reply.statusCode, 200)
  t.strictSame(reply.json(), { status: 'ok' })
})
