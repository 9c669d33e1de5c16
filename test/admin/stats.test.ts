import t from '../support/tap.js'
import type { Replica } from '../../src/model/replica.js'
import { setHold } from '../../src/record/holds.js'
import { evict } from '../../src/record/evict.js'
import { announceReplica } from '../../src/record/replicas.js'
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
    counters: { accepted: 3, duplicates: 1, delivered: 1, failed: 1, deletedEarly: 0, failedDeletedEarly: 0 },
    memory: null,
    events: 3,
    remembered: { claims: 0, mostBytes: null, forgottenBefore: null, perSecond: Number },
    backlog: { open: 4, held: 0, failed: 1, oldestWaitingAt: /Z$/ },
    subscribers: { total: 2, configured: 2, onHold: 1, withFailed: 1 },
    process: { version: '1.2.3', startedAt: /Z$/, uptimeSeconds: 5, pid: 42, redis: 'managed', configFile: 'config/relay.yaml', rssBytes: Number, heapUsedBytes: Number }
  })
})

t.test('how full Redis is, and what went early because of it', async t => {
  const api = await startApi()
  t.teardown(api.close)
  for (const [taskId, next] of [['a', { state: 'delivered' }], ['b', { state: 'failed', reason: 'exhausted' }]] as const) {
    const id = await api.accept({ taskId })
    for (const name of ['billing', 'mailer']) await api.attempt(id, name, next)
  }
  await api.redis.client().config('SET', 'maxmemory', '1')
  await evict(api.options.store, { windowMs: 60_000, above: 0.8 })
  await api.redis.client().config('SET', 'maxmemory', '64mb')
  t.match((await api.get('/api/v1/stats')).json, {
    counters: { accepted: 2, deletedEarly: 2, failedDeletedEarly: 1, claimsGivenUp: 2 },
    events: 0,
    memory: { usedBytes: Number, maxBytes: 67_108_864 },
    remembered: { claims: 0, mostBytes: null, forgottenBefore: /Z$/, perSecond: 0 }
  })
})

const SPOOLS: ReadonlyArray<[says: string, callbacks: number, isSpooling: boolean, state: string]> = [
  ['an idle spool', 0, false, 'idle'],
  ['a spool that takes callbacks', 3, true, 'spooling'],
  ['a spool that is drained', 3, false, 'draining']
]
for (const [says, callbacks, isSpooling, state] of SPOOLS) {
  t.test(`${says} has its size and its age`, async t => {
    const oldestAt = callbacks === 0 ? null : 1_700_000_000_000
    const api = await startApi({ spool: () => ({ callbacks, bytes: 512, maxBytes: 1_024, oldestAt, isSpooling, problem: null, setAside: 1, unreachable: 2 }) })
    t.teardown(api.close)
    const { json } = await api.get('/api/v1/stats')
    t.match(json, { spool: { state, callbacks, bytes: 512, maxBytes: 1_024, oldestAt: oldestAt === null ? null : '2023-11-14T22:13:20.000Z', problem: null, setAside: 1, unreachable: 2 } })
  })
}

t.test('an empty record has numbers too', async t => {
  const api = await startApi()
  t.teardown(api.close)
  t.match((await api.get('/api/v1/stats')).json, { events: 0, spool: null, backlog: { open: 0, oldestWaitingAt: null }, subscribers: { configured: 2 } })
})

t.test('the replicas are listed, which one answers, and which runs another configuration', async t => {
  const api = await startApi()
  t.teardown(api.close)
  t.match((await api.get('/api/v1/stats')).json, { replicas: [] }, 'before the first has announced itself')
  const replica: Replica = { id: 'rep_1', host: 'web-1', pid: 7, role: 'ingest', version: '1.2.3', startedAt: 1_700_000_000_000, fingerprint: 'aaaaaaaaaaaa', configuredAt: 1_700_000_001_000 }
  for (const one of [replica, { ...replica, id: 'rep_2', host: 'web-2' }, { ...replica, id: 'rep_3', role: 'deliver' as const, fingerprint: 'bbbbbbbbbbbb' }]) {
    await announceReplica(api.options.store, one, 60_000)
  }
  const { json } = await api.get('/api/v1/stats')
  t.match(json, {
    replicas: [
      { id: 'rep_3', role: 'deliver', configuration: 'bbbbbbbbbbbb', differs: true, self: false },
      { id: 'rep_1', host: 'web-1', pid: 7, role: 'ingest', version: '1.2.3', startedAt: '2023-11-14T22:13:20.000Z', configuration: 'aaaaaaaaaaaa', configuredAt: '2023-11-14T22:13:21.000Z', differs: false, self: true },
      { id: 'rep_2', host: 'web-2', differs: false, self: false }
    ]
  })
})
