/**
 * One bad row is one bad row: whatever of an event is broken in Redis, every
 * reader, every order, the sweep and the export go on, and say which row it is.
 */
import t from '../support/tap.js'
import { readSubscribers } from '../../src/record/read-subscribers.js'
import { createExaminer } from '../../src/record/examine.js'
import { sweep } from '../../src/record/sweep.js'
import type { RecordStore } from '../../src/record/store.js'
import { keysOf } from '../../src/redis/keys.js'
import { exportRecord } from '../../src/transfer/export.js'
import { readLine } from '../../src/transfer/format.js'
import { importRecord, type ImportResult } from '../../src/transfer/import.js'
import { startApi } from './api.js'

interface Shown { id: string, taskId: string, corrupt?: boolean, deliveries: Array<{ subscriber: string, state: string, lastError: string | null }> }

const api = await startApi()
t.teardown(api.close)
const { store } = api.options
const { redis, keys } = store

/** How a row is broken, how it is named (by its delivery to billing, or as an event), whose deliveries can be made no more, and whether an import takes it. */
const TABLE: ReadonlyArray<[says: string, damage: (id: string) => Promise<unknown>, named: 'delivery' | 'event' | null, fails: string[], again?: false]> = [
  ['a delivery is cut short', async id => await redis.hset(keys.event(id), 'd:billing', '{"s":"retrying","g":1,"n'), 'delivery', ['billing']],
  ['a delivery is no object', async id => await redis.hset(keys.event(id), 'd:billing', 'null'), 'delivery', ['billing']],
  ['a delivery has no numbers', async id => await redis.hset(keys.event(id), 'd:billing', '{"s":"queued","g":"x","n":0,"b":0,"q":0}'), 'delivery', ['billing']],
  ['a delivery is gone', async id => await redis.hdel(keys.event(id), 'd:billing'), 'delivery', ['billing']],
  ['attempts are cut short', async id => await redis.hset(keys.event(id), 'a:billing', '{"n":1,"t":17000'), 'event', []],
  ['the task is gone', async id => await redis.hdel(keys.event(id), 'task'), 'event', ['billing', 'mailer'], false],
  ['the sequence is none', async id => await redis.hset(keys.event(id), 'seq', 'x'), 'event', []],
  ['the time of arrival is gone', async id => await redis.hdel(keys.event(id), 'at'), 'event', ['billing', 'mailer']],
  ['the time of arrival is none', async id => await redis.hset(keys.event(id), 'at', '99999999999999999999'), 'event', ['billing', 'mailer']],
  ['the status is none', async id => await redis.hset(keys.event(id), 'status', 'done'), 'event', []],
  ['the revision is gone', async id => await redis.hdel(keys.event(id), 'rev'), 'event', ['billing', 'mailer']],
  ['the list of subscribers is gone', async id => await redis.hdel(keys.event(id), 'subs'), 'event', []],
  ['the body is gone', async id => await redis.del(keys.body(id)), 'event', ['billing', 'mailer'], false],
  ['the digest is gone', async id => await redis.hdel(keys.event(id), 'digest'), null, [], false],
  ['the counts are none', async id => await redis.hset(keys.event(id), 'open', 'x', 'failed', ''), null, []],
  ['the size is none', async id => await redis.hset(keys.event(id), 'size', 'x'), null, []],
  ['the content type is gone', async id => await redis.hdel(keys.event(id), 'ct'), null, []]
]

/** Three events for both subscribers; that in the middle has an attempt, and is broken. */
async function seed (damage: (id: string) => Promise<unknown>): Promise<{ ids: string[], broken: string }> {
  await redis.flushdb()
  const ids = [await api.accept({ taskId: 'older' }), await api.accept({ taskId: 'broken' }), await api.accept({ taskId: 'newer' })]
  const broken = ids[1]!
  await api.attempt(broken, 'billing', { state: 'retrying', waitMs: 60_000 }, { statusCode: 500 })
  await damage(broken)
  return { ids, broken }
}

const listed = async (path: string): Promise<Shown[]> => {
  const { status, json } = await api.get(`/api/v1${path}`)
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(json)}`)
  return (json as { items: Shown[] }).items
}

const deliveries = async (query: string): Promise<Shown['deliveries']> => await listed('/deliveries' + query) as unknown as Shown['deliveries']

const billing = ({ deliveries }: Shown): Shown['deliveries'][number] => deliveries.find(({ subscriber }) => subscriber === 'billing')!

for (const [says, damage, named, fails, again = true] of TABLE) {
  t.test(`${says}: lists and searches show all, and name it`, async t => {
    const { ids, broken } = await seed(damage)
    t.strictSame((await listed('/events')).map(({ id }) => id), [...ids].reverse())
    t.equal((await listed('/deliveries')).length, 6)
    t.equal((await listed('/deliveries?subscriber=mailer')).length, 3)
    for (const query of ['since=1h', 'type=avatar', 'status=1', 'subscriber=billing', 'state=queued,retrying,held,failed', 'taskId=older,newer']) {
      const found = (await listed(`/events?${query}`)).map(({ id }) => id)
      t.ok(found.includes(ids[0]!) && found.includes(ids[2]!), query)
    }
    const shown = (await api.get(`/api/v1/events/${broken}`)).json as Shown
    t.match(shown, { id: broken })
    t.equal(shown.corrupt === true, named === 'event')
    t.equal(billing(shown).lastError === 'corrupt', named === 'delivery')
    if (named === 'delivery') t.match(billing((await listed('/events'))[1]!), { state: 'failed', lastError: 'corrupt' })
    t.ok([200, 404].includes((await api.get(`/api/v1/events/${broken}/body`)).status))
    for (const path of ['/subscribers', '/stats', '/replays']) t.equal((await api.get(`/api/v1${path}`)).status, 200, path)
  })

  t.test(`${says}: orders of every kind are counted and carried out`, async t => {
    await seed(damage)
    const until = new Date(Date.now() + 60_000).toISOString()
    for (const [path, body] of [
      ['/replays', { state: 'any', since: '1h' }], ['/replays', { state: 'missing', subscriber: 'mailer' }],
      ['/deliveries/discard', { since: '1h' }], ['/deliveries/release', { since: '1h' }], ['/purge', { until }]
    ] as const) {
      t.match(await api.post(`/api/v1${path}`, { ...body, dryRun: true }), { status: 200 }, path)
    }
    t.match(await api.carryOut('/api/v1/deliveries/discard', { all: true }), { matched: 6, discarded: 6 })
    t.strictSame((await deliveries('')).map(({ state }) => state), Array.from({ length: 6 }, () => 'discarded'))
    t.match(await api.carryOut('/api/v1/replays', { state: 'discarded' }), { matched: 6, queued: 6 })
    t.match(await api.carryOut('/api/v1/purge', { until }), { matched: 3, purged: 3 })
    t.strictSame(await listed('/events'), [])
    for (const name of ['billing', 'mailer']) t.equal(await redis.exists(keys.open(name), keys.failed(name), keys.corrupt(name)), 0)
  })

  t.test(`${says}: the rest is exported, and it as far as it can be; the export can be imported`, async t => {
    const { broken } = await seed(damage)
    let text = ''
    await exportRecord({ store, version: '1', from: null, progress () {}, signal: new AbortController().signal, write: async more => { text += more } })
    const lines = text.trimEnd().split('\n').map(line => readLine(line))
    t.strictSame(lines.filter(read => 'fault' in read), [])
    const line = lines.map(read => 'line' in read ? read.line : null).find(line => line !== null && 'id' in line && line.id === broken)
    t.equal(line?.kind, again ? 'event' : 'corrupt')
    const target: RecordStore = { redis, keys: keysOf('other') }
    const imported: ImportResult = await importRecord({
      store: target, input: (async function * () { yield text })(), merge: false, progress () {}, signal: new AbortController().signal
    })
    t.match(imported, { events: again ? 3 : 2, corrupt: again ? 0 : 1 })
    if (named === 'delivery') {
      const stored = await redis.hget(target.keys.event(broken), 'd:billing')
      t.match(JSON.parse(stored!), { s: 'failed', e: 'corrupt' })
    }
  })

  t.test(`${says}: who looks through the record finds it, and what can be made no more fails once`, async t => {
    const { broken } = await seed(damage)
    api.facts.length = 0
    const examine = createExaminer(store, { report: api.options.report })
    await examine()
    const failed = api.facts.flatMap(fact => fact.fact === 'delivery.corrupt' && fact.eventId === broken ? [fact.subscriber] : [])
    t.strictSame(failed.sort(), fails)
    t.equal(api.facts.some(({ fact }) => fact === 'record.corrupt'), named === 'event' || says === 'the counts are none')
    const counted = (await readSubscribers(store)).filter(({ corrupt }) => corrupt > 0)
    t.strictSame(counted.map(({ name, corrupt, counts }) => [name, corrupt, counts.failed, counts.open]), fails.map(name => [name, 1, 1, 2]))
    t.match((await api.get('/api/v1/stats')).json, { counters: { corrupt: fails.length } })
    t.strictSame((await deliveries('?state=failed')).map(({ lastError }) => lastError), fails.map(() => 'corrupt'))
    await createExaminer(store, { report: api.options.report })()
    t.equal((await readSubscribers(store)).reduce((sum, { corrupt }) => sum + corrupt, 0), fails.length, 'once')
    t.match((await api.get('/api/v1/stats')).json, { counters: { corrupt: fails.length } }, 'and counted once')
  })

  t.test(`${says}: the sweep goes on, and deletes nothing that is owed`, async t => {
    const { ids, broken } = await seed(damage)
    for (const id of [ids[0]!, ids[2]!]) for (const name of ['billing', 'mailer']) await api.attempt(id, name, { state: 'delivered' })
    await redis.zadd(keys.ended, 1, broken)
    t.equal(await sweep(store, { eventsMs: 0, failedMs: 0, windowMs: 60_000 }), 2)
    t.equal(await redis.exists(keys.event(broken)), 1)
    await api.carryOut('/api/v1/deliveries/discard', { all: true })
    t.equal(await sweep(store, { eventsMs: 0, failedMs: 0, windowMs: 60_000 }), 1)
    t.strictSame(await listed('/events'), [])
  })
}

t.test('what failed as corrupt is told until it is replayed or discarded', async t => {
  const { broken } = await seed(TABLE[0]![1])
  await createExaminer(store, { report: api.options.report })()
  const corrupt = async (): Promise<number[]> => (await readSubscribers(store)).map(status => status.corrupt)
  t.strictSame(await corrupt(), [1, 0])
  t.match(await api.carryOut('/api/v1/replays', { eventIds: [broken], subscriber: 'billing' }), { queued: 1 })
  t.strictSame(await corrupt(), [0, 0])
  t.match(JSON.parse((await redis.hget(keys.event(broken), 'd:billing'))!), { s: 'queued', g: 2, n: 1 }, 'its attempts go on being counted')
})

t.test('an answer in hand counts, also when its delivery was broken meanwhile', async t => {
  const { broken } = await seed(TABLE[0]![1])
  await api.attempt(broken, 'billing', { state: 'delivered' })
  t.match((await api.get(`/api/v1/events/${broken}`)).json, {
    deliveries: [{ subscriber: 'billing', state: 'delivered', attempts: 2, lastError: null }, { state: 'queued' }], attempts: [{ number: 1 }, { number: 2 }]
  })
  t.equal(await redis.zscore(keys.open('billing'), broken), null)
})

t.test('a claim that cannot be read is none: its callback is taken', async t => {
  const { ids } = await seed(async () => {})
  const [claim] = Object.keys(await redis.hgetall(keys.task('older'))).filter(name => name.startsWith('c:'))
  await redis.hset(keys.task('older'), claim!, 'x')
  t.not(await api.accept({ taskId: 'older' }), ids[0])
})

t.test('an order that cannot be read is shown, carried out by nobody, and hides no other', async t => {
  const { ids } = await seed(async () => {})
  const { id } = (await api.post('/api/v1/deliveries/discard', { all: true })).json as { id: string }
  await redis.hset(keys.replay(id), 'order', '{"kind":"disc', 'createdAt', 'x')
  t.match(await listed('/replays'), [{ id, kind: 'discard', state: 'running' }])
  t.match(await api.carryOut('/api/v1/deliveries/discard', { eventIds: [ids[0]!] }), { discarded: 2 })
  t.match((await api.get(`/api/v1/replays/${id}`)).json, { state: 'cancelled', discarded: 0 })
})
