/**
 * The events of a task, a page at a time: it costs the same however many there
 * are, and none is missing, whatever comes and goes.
 */
import type { Redis } from 'ioredis'
import t, { type Test } from '../support/tap.js'
import type { DedupePolicy } from '../../src/model/dedupe.js'
import { selectEvents, type Filter } from '../../src/record/select.js'
import { sweep, type SweepPolicy } from '../../src/record/sweep.js'
import { callsDuring, type Calls } from './calls.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, endDelivery, openGateway, policyFor, type Gateway } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

const NOW: SweepPolicy = { eventsMs: 0, failedMs: 0, windowMs: 0 }

let prefixes = 0
async function open (t: Test, names: string[] = [], dedupe: Partial<DedupePolicy> = {}): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names, dedupe) })
}

/** Ids of so many new contents of a task, in the order of their acceptance. */
async function acceptMany (gateway: Gateway, taskId: string, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push(await accepted(gateway, { taskId, n: `${prefixes} ${contents++}` }))
  return ids
}
let contents = 0

/** What is found of tasks by pages of so many, newest first. */
async function found ({ store }: Gateway, taskIds: string[], limit: number, more: Filter = {}): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: number | null | undefined; cursor !== null;) {
    const page = await selectEvents(store, { taskIds, ...more }, { limit, cursor: cursor ?? null, budgetMs: 10_000 })
    ids.push(...page.rows.map(({ event }) => event.id))
    cursor = page.next
  }
  return ids
}

const totalOf = async ({ store }: Gateway, ...taskIds: string[]): Promise<number | undefined> =>
  (await selectEvents(store, { taskIds }, { limit: 1, cursor: null })).total

/** Holds what is found of a task against what a walk through all events finds. */
async function isWhole (t: Test, gateway: Gateway, taskId: string, says: string): Promise<void> {
  const all = (await allEvents(gateway)).filter(({ event }) => event.taskId === taskId).map(({ event }) => event.id)
  t.strictSame(await found(gateway, [taskId], 7), all, says)
  t.equal(await totalOf(gateway, taskId), all.length, says)
}

async function indexSize ({ blocking, keys }: Gateway, taskId: string): Promise<number> {
  return await blocking.redis.zcard(keys.eventsOfTask(taskId))
}

t.test('a page of a task with thousands of events costs what one of a task with fifty does', async t => {
  const gateway = await open(t)
  await acceptMany(gateway, 'fifty', 50)
  const events = 3_000
  for (let n = 0; n < events; n += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_, at) => await accepted(gateway, { taskId: 'thousands', n: n + at })))
  }
  const pageOf = async (taskId: string, cursor: number | null): Promise<Calls & { next: number | null }> => {
    let next: number | null = null
    const calls = await callsDuring(gateway.blocking.redis as Redis, async () => {
      const page = await selectEvents(gateway.store, { taskIds: [taskId] }, { limit: 50, cursor })
      t.equal(page.rows.length, 50)
      next = page.next
    })
    return { ...calls, next }
  }
  await pageOf('fifty', null) // the script is known from now on
  const small = await pageOf('fifty', null)
  const first = await pageOf('thousands', null)
  const second = await pageOf('thousands', first.next)
  t.ok(small.all < 100, `${small.all} calls`)
  t.strictSame([first.all, second.all], [small.all, small.all])
  t.equal(first.of('hgetall'), small.of('hgetall'), 'the task is not read as a whole')
  t.strictSame([await totalOf(gateway, 'fifty'), await totalOf(gateway, 'thousands')], [50, events])
  await isWhole(t, gateway, 'thousands', 'and none is missing')
})

t.test('few tasks have an index: those with few events know them', async t => {
  const gateway = await open(t)
  await acceptMany(gateway, 'few', 10)
  t.equal(await indexSize(gateway, 'few'), 0)
  await isWhole(t, gateway, 'few', 'without an index')
  await acceptMany(gateway, 'few', 20)
  t.equal(await indexSize(gateway, 'few'), 30)
  await isWhole(t, gateway, 'few', 'with one')
})

t.test('whatever is accepted and swept, every event of a task is found, and nothing else', async t => {
  const gateway = await open(t, ['a'], { windowMs: 0 })
  const ids = await acceptMany(gateway, 't', 30)
  const end = async (...over: string[]): Promise<void> => {
    for (const id of over) await endDelivery(gateway, 'a', id, { state: 'delivered' })
    t.equal(await sweep(gateway.blocking, NOW), over.length)
  }
  await end(...ids.splice(5, 10))
  await isWhole(t, gateway, 't', 'some were swept')
  t.equal(await indexSize(gateway, 't'), 20, 'the index is kept')
  await end(...ids.splice(2, 15))
  await isWhole(t, gateway, 't', 'few are left')
  ids.push(...await acceptMany(gateway, 't', 4))
  await isWhole(t, gateway, 't', 'others have come to the few')
  ids.push(...await acceptMany(gateway, 't', 40))
  await isWhole(t, gateway, 't', 'there are many again')
  ids.push(await accepted(gateway, { taskId: 't', n: 'again' }), await accepted(gateway, { taskId: 't', n: 'again' }))
  await isWhole(t, gateway, 't', 'a claim was taken over')
  t.equal(await indexSize(gateway, 't'), ids.length)
  await end(...ids)
  t.notOk(await gateway.blocking.redis.exists(gateway.keys.task('t'), gateway.keys.eventsOfTask('t')), 'nothing is left')
})

t.test('an index that an earlier release has not kept is not read, and made anew', async t => {
  const gateway = await open(t)
  const { keys, blocking: { redis } } = gateway
  const ids = await acceptMany(gateway, 't', 30)
  // As if it had been accepted by a gateway that knows no index.
  await redis.zrem(keys.eventsOfTask('t'), ids.at(-1)!)
  await redis.hincrby(keys.task('t'), 'indexed', -1)
  await isWhole(t, gateway, 't', 'what is not in the index is found')
  await acceptMany(gateway, 't', 1)
  t.equal(await indexSize(gateway, 't'), 31)
  await redis.del(keys.eventsOfTask('t'))
  await isWhole(t, gateway, 't', 'also without an index')
  await redis.hdel(keys.task('t'), 'indexed')
  await acceptMany(gateway, 't', 1)
  t.equal(await indexSize(gateway, 't'), 32)
  await isWhole(t, gateway, 't', 'with a new one')
})

t.test('tasks with many events and with few, test events and filters: all in one list', async t => {
  const gateway = await open(t)
  const ids: string[] = []
  for (let n = 0; n < 40; n++) {
    ids.push(await accepted(gateway, { taskId: 'many', n, status: n % 2 + 1 }))
    ids.push(await accepted(gateway, { taskId: 'as many', n, status: 1 }))
    ids.push(await accepted(gateway, { taskId: 'many', n, status: 2 }, { flags: ['test'] }))
    await accepted(gateway, { taskId: 'other', n })
    if (n % 8 === 0) ids.push(await accepted(gateway, { taskId: 'few', n, status: 1 }))
  }
  ids.reverse()
  const taskIds = ['many', 'few', 'as many', 'nothing', 'many']
  t.strictSame(await found(gateway, taskIds, 500), ids)
  t.strictSame(await found(gateway, taskIds, 7), ids, 'page by page')
  t.equal(await totalOf(gateway, ...taskIds), ids.length)
  const fits = (await allEvents(gateway, { statuses: [2] })).map(({ event }) => event.id)
  t.strictSame(await found(gateway, taskIds, 3, { statuses: [2] }), fits)
  t.strictSame(await found(gateway, ['few', 'many'], 3, { eventIds: ids }), (await found(gateway, ['few', 'many'], 500)), 'and among events named by their ids')
})

t.test('more events than one step looks at, in tasks with few, beside one with many', async t => {
  const gateway = await open(t)
  const taskIds = ['many']
  const ids = await acceptMany(gateway, 'many', 30)
  for (let n = 0; n < 101; n++) {
    taskIds.push(`t${n}`)
    ids.push(...await Promise.all(Array.from({ length: 10 }, async (_, at) => await accepted(gateway, { taskId: `t${n}`, at }))))
  }
  const all = (await allEvents(gateway)).map(({ event }) => event.id)
  t.equal(all.length, ids.length)
  t.strictSame(await found(gateway, taskIds, 100), all)
})
