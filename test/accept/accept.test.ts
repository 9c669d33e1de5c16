/**
 * What becomes of arrivals: first, duplicate, revision, late or conflict, over
 * two gateways on one Redis.
 */
import t from '../support/tap.js'
import { readStats, readSubscribers } from '../../src/record/read-subscribers.js'
import { readBody, readEvent } from '../../src/record/read-event.js'
import { startRedis } from '../support/redis.js'
import {
  accepted, allEvents, callback, hasJob, openGateway, policyFor, recordingDeliver, subscriberNamed
} from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
const freshPrefix = (): string => `p${++prefixes}`

t.test('sixty-four identical arrivals at two gateways at once make one event', async t => {
  const prefix = freshPrefix()
  const policy = policyFor(['a', 'b'])
  const gateways = [await openGateway(t, server, { prefix, policy }), await openGateway(t, server, { prefix, policy })]
  const answers = await Promise.all(Array.from({ length: 64 }, async (_, n) =>
    await gateways[n % 2]!.accept(callback({ taskId: 't1' }))))

  const first = answers.filter(({ kind }) => kind === 'accepted')
  t.equal(first.length, 1)
  const { eventId } = first[0] as { eventId: string }
  t.strictSame(answers.filter(({ kind }) => kind !== 'accepted'),
    Array.from({ length: 63 }, () => ({ kind: 'duplicate', eventId })))
  const rows = await allEvents(gateways[0]!)
  t.equal(rows.length, 1)
  t.equal(rows[0]!.event.duplicates, 63)
  t.strictSame(rows[0]!.deliveries.map(({ subscriber, state }) => [subscriber, state]), [['a', 'queued'], ['b', 'queued']])
  t.match(await readStats(gateways[0]!.store), { accepted: 1, duplicates: 63, events: 1 })

  const { deliver, sent } = recordingDeliver()
  await gateways[0]!.work(deliver)
  await until('both queues are empty', async () =>
    (await gateways[0]!.queues.count('a')).jobs + (await gateways[0]!.queues.count('b')).jobs === 0)
  t.strictSame(sent.map(({ subscriber }) => subscriber).sort(), ['a', 'b'], 'each subscriber gets it once')
})

t.test('an arrival is one transaction however many copies of it come at once', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  await Promise.all(Array.from({ length: 16 }, async () => await gateway.accept(callback({ taskId: 't1' }))))
  t.equal((await gateway.queues.count('a')).jobs, 1, 'the copies left no job behind')
})

t.test('a completion after "in progress" is another event', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  await accepted(gateway, { taskId: 't1', status: 0 })
  await accepted(gateway, { taskId: 't1', status: 1 })
  const rows = await allEvents(gateway)
  t.strictSame(rows.map(({ event }) => [event.status, event.revision, event.flags]), [[1, 1, []], [0, 1, []]])
})

t.test('other content under the same task and status is the next revision', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  for (const url of ['one', 'two', 'three']) await accepted(gateway, { taskId: 't1', url })
  t.equal((await gateway.accept(callback({ taskId: 't1', url: 'two' }))).kind, 'duplicate')
  const rows = await allEvents(gateway)
  t.strictSame(rows.map(({ event }) => [event.revision, event.flags, event.duplicates]), [[3, [], 0], [2, [], 1], [1, [], 0]])
  t.ok(rows.every(({ deliveries }) => deliveries.length === 1))
})

t.test('a status 0 after a final one is late: kept without deliveries', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  await accepted(gateway, { taskId: 't1', status: 2 })
  const late = await accepted(gateway, { taskId: 't1', status: 0 })
  const { event, deliveries } = (await readEvent(gateway.store, late))!
  t.strictSame(event.flags, ['late'])
  t.strictSame(deliveries, [])
  t.ok(await gateway.blocking.redis.zscore(gateway.keys.ended, late), 'its retention has begun')
  t.strictSame(gateway.facts.filter(fact => fact.fact === 'event.accepted').map(({ subscribers }) => subscribers), [['a'], []])
  t.equal((await gateway.accept(callback({ taskId: 't1', status: 0 }))).kind, 'duplicate')

  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('the queue is empty', async () => (await gateway.queues.count('a')).jobs === 0)
  t.strictSame(sent.map(({ body }) => statusOf(body)), [2])
})

t.test('what arrived before every final one is delivered, whatever was accepted first', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  const now = Date.now()
  const flagsOf = async (fields: Record<string, unknown>, receivedAt: number): Promise<string[]> => {
    const id = await accepted(gateway, { taskId: 't1', ...fields }, { receivedAt, flags: ['spooled'] })
    return (await readEvent(gateway.store, id))!.event.flags
  }
  t.strictSame(await flagsOf({ status: 1 }, now - 60_000), ['spooled'])
  t.strictSame(await flagsOf({ status: 0, n: 'before' }, now - 61_000), ['spooled'], 'it arrived before the final one')
  t.strictSame(await flagsOf({ status: 0, n: 'after' }, now - 59_000), ['spooled', 'late'], 'this one did not, however long it waited')
  t.strictSame(await flagsOf({ status: 1, n: 'another' }, now - 120_000), ['spooled'])
  t.strictSame(await flagsOf({ status: 0, n: 'between' }, now - 90_000), ['spooled', 'late'], 'the first of the final ones counts, whichever was accepted first')

  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('the queue is empty', async () => (await gateway.queues.count('a')).jobs === 0)
  t.strictSame(sent.map(({ body }) => (JSON.parse(body) as { n?: string }).n ?? 'first').sort(), ['another', 'before', 'first'])
})

t.test('which of two came first is told by Redis\'s clock where a gateway\'s is another', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  const { redis } = gateway.blocking
  await accepted(gateway, { taskId: 't1', status: 1 }, { receivedAt: Date.now() + 3_600_000 })
  await accepted(gateway, { taskId: 't1', status: 0 })
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.flags), [['late'], []], 'the final one came first, though its gateway is an hour ahead')
  await redis.hdel(gateway.keys.task('t1'), 'finalAt')
  await accepted(gateway, { taskId: 't1', status: 0, n: 'long ago' }, { receivedAt: Date.now() - 60_000 })
  t.strictSame((await allEvents(gateway))[0]!.event.flags, ['late'], 'where nobody knows when the final one came, it came first')
})

t.test('a late event is delivered where the configuration says so', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a'], { onLate: 'forward' }) })
  await accepted(gateway, { taskId: 't1', status: 1 })
  const late = await accepted(gateway, { taskId: 't1', status: 0 })
  const { event, deliveries } = (await readEvent(gateway.store, late))!
  t.strictSame([event.flags, deliveries.length], [['late'], 1])
})

t.test('flags tell what came before', async t => {
  const rows: Array<[says: string, statuses: number[], flags: string[][]]> = [
    ['another final status is a conflict', [1, 2], [[], ['conflict']]],
    ['the same final status with other content is none', [1, 1], [[], []]],
    ['after a conflict every final one is', [1, 2, 1], [[], ['conflict'], ['conflict']]],
    ['unknown is not final: nothing follows from it', [-1, 0, 1], [[], [], []]],
    ['unknown is never late', [1, -1], [[], []]],
    ['undocumented statuses are final', [7, 0, 3], [[], ['late'], ['conflict']]]
  ]
  for (const [says, statuses, flags] of rows) {
    const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor([]) })
    for (const [n, status] of statuses.entries()) await accepted(gateway, { taskId: 't', status, n })
    t.strictSame((await allEvents(gateway)).map(({ event }) => event.flags).reverse(), flags, says)
  }
})

t.test('flags of the way in are kept beside those of the task', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor([]) })
  await accepted(gateway, { taskId: 't', status: 1 })
  const id = await accepted(gateway, { taskId: 't', status: 0 }, { flags: ['unlisted', 'recovered'] })
  t.strictSame((await readEvent(gateway.store, id))!.event.flags, ['unlisted', 'recovered', 'late'])
})

t.test('where conflicts are held, a revision waits and is not attempted', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a', 'b'], { onConflict: 'hold' }) })
  const first = await accepted(gateway, { taskId: 't1', url: 'one' })
  const second = await accepted(gateway, { taskId: 't1', url: 'two' })
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('both queues are empty', async () => (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  t.strictSame(sent.map(({ event }) => event.id), [first, first])
  const { deliveries } = (await readEvent(gateway.store, second))!
  t.strictSame(deliveries.map(({ state, heldBy, attempts }) => [state, heldBy, attempts]), [['held', 'conflict', 0], ['held', 'conflict', 0]])
  t.equal(await gateway.reconciler().round(), 0, 'and owes no job')
})

t.test('a task may have any name', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  const names = ['meta', 'wait', 'delayed', 'id', '12', '0', 'a:b', '../..', '{x}', '}{', '*', '__proto__', 'c:1:x', ' ', '𝄞é漢'.repeat(86).slice(0, 256)]
  for (const taskId of names) {
    const id = await accepted(gateway, { taskId })
    t.equal((await gateway.accept(callback({ taskId }))).kind, 'duplicate', JSON.stringify(taskId))
    t.equal((await readEvent(gateway.store, id))!.event.taskId, taskId)
  }
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('all are sent', () => sent.length === names.length)
  t.strictSame(sent.map(({ event }) => event.taskId).sort(), [...names].sort())
})

t.test('a businessId that is no well-formed text loses no callback', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  const body = Buffer.from('{"taskId":"t1","status":1,"type":"avatar","businessId":"\\ud800 \\u0000 \\\\ud800 𝄞"}')
  const acceptance = await gateway.accept({ ...callback({}), body })
  t.equal(acceptance.kind, 'accepted')
  const [row] = await allEvents(gateway)
  t.equal(row!.event.businessId, '\ufffd \u0000 \\ud800 𝄞')
  t.equal(row!.deliveries.length, 1)
  t.strictSame(await readBody(gateway.store, row!.event.id), body)
})

t.test('an event that no subscriber wants is kept, and its retention begins', async t => {
  const policy = policyFor(['a'])
  policy.subscribers[0]!.match = { types: ['video*'], statuses: [], businessIds: [] }
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy })
  const id = await accepted(gateway, { taskId: 't1' })
  t.strictSame((await readEvent(gateway.store, id))!.deliveries, [])
  t.ok(await gateway.blocking.redis.zscore(gateway.keys.ended, id))
  t.equal((await gateway.queues.count('a')).jobs, 0)
})

t.test('an event goes to those that want what its body says, by the match they have when it comes', async t => {
  const policy = policyFor(['a', 'b', 'all'])
  const [a, b] = policy.subscribers
  a!.match = { types: ['avatar'], fields: { 'avatarResult[].templateId': ['d69*'] } }
  b!.match = { fields: { 'avatarResult[].templateId': ['e1'] } }
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy })
  const gets = async (fields: Record<string, unknown>): Promise<string[]> =>
    (await readEvent(gateway.store, await accepted(gateway, fields)))!.deliveries.map(({ subscriber }) => subscriber)
  t.strictSame(await gets({ taskId: 't1', avatarResult: [{ templateId: 'd690' }, { templateId: 'e1' }] }), ['a', 'b', 'all'])
  t.strictSame(await gets({ taskId: 't2', avatarResult: [{ templateId: 'e1' }] }), ['b', 'all'])
  t.strictSame(await gets({ taskId: 't3' }), ['all'])
  b!.match = { fields: { credits: ['7'] } }
  t.strictSame(await gets({ taskId: 't4', avatarResult: [{ templateId: 'e1' }] }), ['all'])
  t.strictSame(await gets({ taskId: 't5', credits: 7 }), ['b', 'all'])
})

t.test('an event is recorded as it came', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor([]) })
  const body = Buffer.from(' { "type":"avatar", "status" : "1","taskId":"t1","big":12345678901234567890,"businessId":"é" } ')
  await gateway.accept({ body, contentType: 'text/x; a="b"', receivedAt: 1_700_000_000_123, flags: [] })
  const [row] = await allEvents(gateway)
  t.match(row!.event, {
    taskId: 't1', status: 1, type: 'avatar', businessId: 'é', receivedAt: 1_700_000_000_123, contentType: 'text/x; a="b"', size: body.length
  })
  t.strictSame(await readBody(gateway.store, row!.event.id), body)
})

t.test('an event for one subscriber alone goes to no other', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a', 'b']) })
  const id = await accepted(gateway, { taskId: 't1' }, { only: 'b' })
  t.strictSame((await readEvent(gateway.store, id))!.deliveries.map(({ subscriber }) => subscriber), ['b'])
})

t.test('a subscriber is known from its first delivery on', async t => {
  const policy = policyFor([])
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy })
  policy.subscribers.push(subscriberNamed('newcomer'))
  const id = await accepted(gateway, { taskId: 't1' })
  t.strictSame((await readSubscribers(gateway.store)).map(({ name, counts }) => [name, counts.open]), [['newcomer', 1]])
  t.ok(await hasJob(gateway, 'newcomer', id))
})

t.test('a claim older than the window makes no duplicate any more', async t => {
  const policy = policyFor(['a'])
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy })
  const first = await accepted(gateway, { taskId: 't1' })
  t.equal((await gateway.accept(callback({ taskId: 't1' }))).kind, 'duplicate')
  policy.dedupe = { ...policy.dedupe, windowMs: 0 }
  const second = await accepted(gateway, { taskId: 't1' })
  policy.dedupe = { ...policy.dedupe, windowMs: 600_000 }
  t.strictSame(await gateway.accept(callback({ taskId: 't1' })), { kind: 'duplicate', eventId: second }, 'the newer one is named from then on')
  const rows = await allEvents(gateway, { taskIds: ['t1'] })
  t.strictSame(rows.map(({ event }) => [event.id, event.revision, event.duplicates]), [[second, 2, 1], [first, 1, 1]], 'both are found by their task')
})

t.test('sequences rise even when the clock is set back', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor([]) })
  const ahead = (Date.now() + 3_600_000) * 1_000
  await gateway.blocking.redis.set(gateway.keys.sequence, String(ahead))
  await accepted(gateway, { taskId: 't1' })
  await accepted(gateway, { taskId: 't2' })
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.sequence), [ahead + 2, ahead + 1])
})

function statusOf (body: string): number {
  return (JSON.parse(body) as { status: number }).status
}

t.test('what cannot be read is said, and nothing is written', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a']) })
  t.match(await gateway.accept({ ...callback({}), body: Buffer.from('{"status":1}') }), { kind: 'unreadable', field: 'taskId' })
  t.equal(await gateway.blocking.redis.exists(gateway.keys.sequence), 0)
})

t.test('a test event takes nothing from the real callback that comes after it', async t => {
  const gateway = await openGateway(t, server, { prefix: freshPrefix(), policy: policyFor(['a', 'b']) })
  const test = await accepted(gateway, { taskId: 'real', status: 1 }, { flags: ['test'], only: 'a' })
  const real = await gateway.accept(callback({ taskId: 'real', status: 1 }))
  t.match(real, { kind: 'accepted' }, 'the same content is no duplicate')
  t.match(await gateway.accept(callback({ taskId: 'other', status: 1 }, { flags: ['test'] })), { kind: 'accepted' })
  await accepted(gateway, { taskId: 'other', status: 0 })

  const rows = new Map((await allEvents(gateway)).map(row => [row.event.id, row]))
  t.match(rows.get((real as { eventId: string }).eventId), { event: { revision: 1, flags: [] }, deliveries: [{ subscriber: 'a' }, { subscriber: 'b' }] })
  t.match(rows.get(test), { event: { flags: ['test'] }, deliveries: [{ subscriber: 'a' }] })
  t.equal([...rows.values()].filter(({ event }) => event.flags.includes('late')).length, 0, 'nor is it late')
  t.equal((await allEvents(gateway, { taskIds: ['real'] })).length, 2, 'a search for the task finds both')
})
