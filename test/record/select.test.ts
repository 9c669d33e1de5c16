/**
 * Searching the record: every filter, page by page, whatever happens
 * meanwhile.
 */
import t, { type Test } from '../support/tap.js'
import { setHold } from '../../src/record/holds.js'
import { selectEvents, type Filter } from '../../src/record/select.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, callback, endDelivery, giveUp, openGateway, policyFor, type Gateway } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, names = ['a', 'b']): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names) })
}

const AT = 1_700_000_000_000

/** One record for the table: eight events, each in another state. */
const gateway = await open(t, ['a', 'b', 'c'])
gateway.policy.subscribers[2]!.match = { types: ['image*'], statuses: [], businessIds: [] }
const ids = new Map<string, string>()
const EVENTS: ReadonlyArray<[taskId: string, fields: Record<string, unknown>]> = [
  ['t1', { type: 'avatar', status: 0, businessId: 'b1' }],
  ['t2', { type: 'imageUpscaler', status: 1, businessId: 'b2' }],
  ['t3', { type: 'image', status: 2 }],
  ['t4', { type: 'Image', status: 1, businessId: '' }],
  ['t5', { type: 'avatar', status: 1 }],
  ['t6', { type: 'avatar', status: -1 }],
  ['t7', { type: 'video', status: 1 }]
]
for (const [n, [taskId, fields]] of EVENTS.entries()) {
  ids.set(taskId, await accepted(gateway, { taskId, ...fields }, { receivedAt: AT + n * 1_000, flags: n === 6 ? ['recovered'] : [] }))
}
ids.set('t7 late', await accepted(gateway, { taskId: 't7', type: 'video', status: 0 }, { receivedAt: AT + 7_000, flags: ['unlisted'] }))
await endDelivery(gateway, 'a', ids.get('t1')!, { state: 'delivered' })
await endDelivery(gateway, 'a', ids.get('t2')!, { state: 'failed', reason: 'exhausted' })
await endDelivery(gateway, 'b', ids.get('t2')!, { state: 'delivered' })
await endDelivery(gateway, 'a', ids.get('t3')!, { state: 'retrying', waitMs: 0 })
await endDelivery(gateway, 'b', ids.get('t4')!, { state: 'failed', reason: 'expired' })
await giveUp(gateway.blocking, [{ eventId: ids.get('t5')!, subscriber: 'a' }])
await setHold(gateway.blocking, 'b', 'pause')

const ALL = ['t7 late', 't7', 't6', 't5', 't4', 't3', 't2', 't1']
const TABLE: ReadonlyArray<[says: string, filter: Filter, finds: string[]]> = [
  ['no filter finds everything, newest first', {}, ALL],
  ['a type', { types: ['avatar'] }, ['t6', 't5', 't1']],
  ['a type is case-sensitive', { types: ['Image'] }, ['t4']],
  ['the start of a type', { types: ['image*'] }, ['t3', 't2']],
  ['one of several types', { types: ['video', 'imag*'] }, ['t7 late', 't7', 't3', 't2']],
  ['any type', { types: ['*'] }, ALL],
  ['statuses', { statuses: [-1, 2] }, ['t6', 't3']],
  ['businessIds', { businessIds: ['b1', 'b2'] }, ['t2', 't1']],
  ['an empty businessId is one', { businessIds: [''] }, ['t4']],
  ['a flag', { flags: ['recovered', 'unlisted'] }, ['t7 late', 't7']],
  ['the flag of a task', { flags: ['late'] }, ['t7 late']],
  ['since, itself included', { since: AT + 5_000 }, ['t7 late', 't7', 't6']],
  ['until, itself excluded', { until: AT + 1_000 }, ['t1']],
  ['since and until', { since: AT + 1_000, until: AT + 3_000 }, ['t3', 't2']],
  ['a subscriber', { subscribers: ['c'] }, ['t3', 't2']],
  ['an unknown subscriber', { subscribers: ['nobody'] }, []],
  ['nobody at all', { subscribers: [] }, []],
  ['delivered', { states: ['delivered'] }, ['t2', 't1']],
  ['failed', { states: ['failed'] }, ['t4', 't2']],
  ['retrying', { states: ['retrying'] }, ['t3']],
  ['discarded', { states: ['discarded'] }, ['t5']],
  ['queued, but not what its subscriber holds', { states: ['queued'] }, ['t7', 't6', 't4', 't3', 't2']],
  ['held by its subscriber', { states: ['held'] }, ['t7', 't6', 't5', 't3', 't1']],
  ['several states over several indexes, each event once', { states: ['failed', 'retrying', 'held'] }, ['t7', 't6', 't5', 't4', 't3', 't2', 't1']],
  ['a state of one subscriber', { states: ['failed'], subscribers: ['b'] }, ['t4']],
  ['a state of several subscribers', { states: ['failed'], subscribers: ['a', 'b'] }, ['t4', 't2']],
  ['the state and the subscriber of the same delivery', { states: ['delivered'], subscribers: ['a'] }, ['t1']],
  ['what a subscriber never had', { missing: 'c' }, ['t7 late', 't7', 't6', 't5', 't4', 't1']],
  ['a task', { taskIds: ['t7'] }, ['t7 late', 't7']],
  ['tasks', { taskIds: ['t1', 't9', 't3'] }, ['t3', 't1']],
  ['a task, and more', { taskIds: ['t7'], statuses: [0], flags: ['late'], types: ['vid*'] }, ['t7 late']],
  ['a task, and what it is not', { taskIds: ['t7'], businessIds: ['b1'] }, []],
  ['a task by the state of a delivery', { taskIds: ['t1', 't2', 't3'], states: ['held'], subscribers: ['b'] }, ['t3', 't1']],
  ['everything at once', { types: ['image*'], statuses: [1], businessIds: ['b2'], subscribers: ['a'], states: ['failed'], since: AT, until: AT + 9_000 }, ['t2']]
]
const nameOf = (id: string): string => [...ids].find(([, other]) => other === id)![0]

for (const [says, filter, finds] of TABLE) {
  t.test(`finds ${says}`, async t => {
    t.strictSame((await allEvents(gateway, filter)).map(({ event }) => nameOf(event.id)), finds)
    t.strictSame(await onePerPage(gateway, filter), finds, 'and the same one by one')
    if (filter.taskIds !== undefined) return
    const named = { ...filter, eventIds: [...ids.values()] }
    t.strictSame((await allEvents(gateway, named)).map(({ event }) => nameOf(event.id)), finds, 'and the same among events named by their ids')
    t.strictSame(await onePerPage(gateway, named), finds, 'these one by one as well')
  })
}

/** The names of what a filter finds, asked for one by one; checks that the cursor ends. */
async function onePerPage (gateway: Gateway, filter: Filter): Promise<string[]> {
  const found: string[] = []
  let cursor: number | null = null
  do {
    const page = await selectEvents(gateway.store, filter, { limit: 1, cursor })
    if (page.rows.length > 1) throw new Error('more than the limit')
    found.push(...page.rows.map(({ event }) => nameOf(event.id)))
    cursor = page.next
  } while (cursor !== null)
  return found
}

t.test('event ids are looked up, those of another task left out', async t => {
  const eventIds = [ids.get('t1')!, ids.get('t2')!, 'evt_unknown']
  t.strictSame((await allEvents(gateway, { eventIds })).map(({ event }) => nameOf(event.id)), ['t2', 't1'])
  t.strictSame((await allEvents(gateway, { eventIds, taskIds: ['t1', 't3'] })).map(({ event }) => nameOf(event.id)), ['t1'])
})

t.test('ids may be as many as they like: page by page, each event once', async t => {
  const unknown = Array.from({ length: 2_500 }, (_, n) => `evt_${n}`)
  const eventIds = [...unknown.slice(0, 900), ids.get('t1')!, ...unknown.slice(900, 2_100), ids.get('t3')!, ids.get('t2')!, ids.get('t1')!, ...unknown.slice(2_100)]
  t.strictSame((await allEvents(gateway, { eventIds })).map(({ event }) => nameOf(event.id)), ['t3', 't2', 't1'])
  t.strictSame(await onePerPage(gateway, { eventIds }), ['t3', 't2', 't1'])
})

t.test('a delivery says whether it fits what is asked of deliveries', async t => {
  const fitting = async (filter: Filter): Promise<string[]> => (await allEvents(gateway, filter))
    .flatMap(({ event, deliveries }) => deliveries.filter(({ fits }) => fits).map(({ subscriber }) => `${nameOf(event.id)} ${subscriber}`))
  for (const eventIds of [undefined, [...ids.values()]]) {
    const named = eventIds === undefined ? {} : { eventIds }
    t.strictSame(await fitting({ ...named, states: ['failed'] }), ['t4 b', 't2 a'])
    t.strictSame(await fitting({ ...named, states: ['held'], types: ['image*'] }), ['t3 b'])
    t.strictSame(await fitting({ ...named, types: ['image'] }), ['t3 a', 't3 b', 't3 c'])
    t.strictSame(await fitting({ ...named, types: ['image'], subscribers: ['c', 'a'] }), ['t3 a', 't3 c'])
  }
})

t.test('a row has all deliveries of its event, whatever the filter', async t => {
  const [row] = await allEvents(gateway, { states: ['failed'], subscribers: ['a'] })
  t.match(row!.deliveries, [
    { subscriber: 'a', state: 'failed', shown: { state: 'failed', heldBy: null } },
    { subscriber: 'b', state: 'delivered', shown: { state: 'delivered' } },
    { subscriber: 'c', state: 'queued', shown: { state: 'queued' } }
  ])
  t.equal(row!.event.businessId, 'b2')
  const [t3] = await allEvents(gateway, { taskIds: ['t3'] })
  t.equal(t3!.event.businessId, null)
})

t.test('next is null on the page that ends the record, and on no page before', async t => {
  const pages: Array<[number, boolean]> = []
  let cursor: number | null = null
  do {
    const page = await selectEvents(gateway.store, {}, { limit: 3, cursor })
    pages.push([page.rows.length, page.next === null])
    cursor = page.next
  } while (cursor !== null)
  t.strictSame(pages, [[3, false], [3, false], [2, true]])
  t.equal((await selectEvents(gateway.store, {}, { limit: 8, cursor: null })).next, null, 'a page that is just full and ends it')
  t.equal((await selectEvents(gateway.store, { taskIds: ['t7'] }, { limit: 2, cursor: null })).next, null)
  t.strictSame(await selectEvents((await open(t)).store, {}, { limit: 5, cursor: null }), { rows: [], next: null })
})

t.test('events that arrive between two pages change nothing behind the cursor', async t => {
  const gateway = await open(t)
  for (let n = 0; n < 7; n++) await accepted(gateway, { taskId: `old${n}` })
  const seen: string[] = []
  let cursor: number | null = null
  do {
    const page = await selectEvents(gateway.store, {}, { limit: 2, cursor })
    seen.push(...page.rows.map(({ event }) => event.taskId))
    cursor = page.next
    await gateway.accept(callback({ taskId: `new${seen.length}` }))
  } while (cursor !== null)
  t.strictSame(seen, ['old6', 'old5', 'old4', 'old3', 'old2', 'old1', 'old0'])
})

t.test('deliveries that change state between two pages are neither skipped nor doubled', async t => {
  const gateway = await open(t)
  const made: string[] = []
  for (let n = 0; n < 9; n++) made.push(await accepted(gateway, { taskId: `t${n}` }))
  const seen: string[] = []
  let cursor: number | null = null
  do {
    const page = await selectEvents(gateway.store, { states: ['queued'], subscribers: ['a'] }, { limit: 2, cursor })
    for (const { event } of page.rows) {
      seen.push(event.id)
      await endDelivery(gateway, 'a', event.id, { state: 'delivered' })
    }
    cursor = page.next
  } while (cursor !== null)
  t.strictSame(seen, made.reverse())
})

t.test('thousands of events are walked in steps, each found once', async t => {
  const gateway = await open(t, ['a', 'b'])
  const { keys, blocking: { redis } } = gateway
  const COUNT = 5_000
  const pipeline = redis.pipeline()
  for (let n = 0; n < COUNT; n++) {
    const id = 'evt_' + String(n).padStart(26, '0')
    const [owner, other] = n % 3 === 0 ? ['a', 'b'] : ['b', 'a']
    const failed = JSON.stringify({ s: 'failed', g: 1, n: 1, b: 1, q: 1 })
    pipeline.hset(keys.event(id), {
      task: `t${n}`, status: 1, type: n % 1_000 === 0 ? 'rare' : 'avatar', at: AT, seq: AT + n, rev: 1, flags: '', dup: 0, size: 1, ct: 'x', subs: 'a,b', [`d:${owner}`]: failed, [`d:${other}`]: JSON.stringify({ s: 'delivered', g: 1, n: 1, b: 1, q: 1 })
    })
    pipeline.zadd(keys.events, AT + n, id)
    pipeline.zadd(keys.failed(owner!), AT + n, id)
  }
  await pipeline.exec()
  const newestFirst = Array.from({ length: COUNT }, (_, n) => `t${COUNT - 1 - n}`)
  for (const filter of [{}, { states: ['failed'] }, { states: ['failed', 'held', 'retrying'] }] satisfies Filter[]) {
    t.strictSame((await allEvents(gateway, filter)).map(({ event }) => event.taskId), newestFirst, JSON.stringify(filter))
  }
  const ofB = await allEvents(gateway, { states: ['failed'], subscribers: ['b'] })
  t.equal(ofB.length, newestFirst.filter(name => Number(name.slice(1)) % 3 !== 0).length)

  const patience = { limit: 500, cursor: null, budgetMs: 10_000 }
  const rare = await selectEvents(gateway.store, { types: ['rare'] }, patience)
  t.strictSame([rare.rows.map(({ event }) => event.taskId), rare.next], [['t4000', 't3000', 't2000', 't1000', 't0'], null], 'a page goes on over steps')
  const hurried = await selectEvents(gateway.store, { types: ['rare'] }, { ...patience, budgetMs: 0 })
  t.ok(hurried.rows.length < 5 && hurried.next !== null, 'and is cut short rather than slow')
})

t.test('when an event arrived is told by Redis\'s clock, also of a gateway whose clock is minutes ahead', async t => {
  const ahead = await openGateway(t, server, { prefix: 'ahead', policy: policyFor(['a']) })
  const id = await accepted(ahead, { taskId: 'ahead' }, { receivedAt: Date.now() + 300_000 })
  const idsOf = async (filter: Filter): Promise<string[]> =>
    (await selectEvents(ahead.blocking, filter, { limit: 10, cursor: null })).rows.map(({ event }) => event.id)
  t.strictSame(await idsOf({ until: Date.now() + 60_000 }), [id], 'it arrived before a minute from now')
  t.strictSame(await idsOf({ since: Date.now() + 60_000 }), [], 'and not after')
  t.strictSame(await idsOf({ since: Date.now() - 120_000 }), [id])
})
