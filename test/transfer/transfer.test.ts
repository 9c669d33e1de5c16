/**
 * What is exported and imported is the same record: everything owed is owed,
 * everything delivered stays delivered, and a duplicate is still a duplicate.
 */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import t, { type Test } from '../support/tap.js'
import type { DedupePolicy } from '../../src/model/dedupe.js'
import { setHold } from '../../src/record/holds.js'
import { readClaims } from '../../src/record/claims.js'
import { evict, SHORT_ABOVE } from '../../src/record/evict.js'
import { selectEvents } from '../../src/record/select.js'
import { sweep } from '../../src/record/sweep.js'
import { placeOrder, readOrder } from '../../src/replay/orders.js'
import { createOrderRunner } from '../../src/replay/run.js'
import { exportRecord } from '../../src/transfer/export.js'
import { FORMAT, writeLine, type Line } from '../../src/transfer/format.js'
import { importRecord, type ImportResult } from '../../src/transfer/import.js'
import { readMemory } from '../../src/redis/memory.js'
import { callsDuring } from '../record/calls.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, callback, endDelivery, giveUp, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const operator = server.client()

const DAY = 86_400_000

async function open (t: Test, names = ['a', 'b'], dedupe: Partial<DedupePolicy> = {}): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${randomUUID()}`, policy: policyFor(names, dedupe) })
}

async function exported ({ blocking }: Gateway): Promise<string> {
  let text = ''
  await exportRecord({
    store: blocking, version: '1.2.3', from: null, progress () {}, signal: new AbortController().signal, write: async more => { text += more }
  })
  return text
}

async function imported ({ blocking }: Gateway, text: string, merge = false): Promise<ImportResult> {
  return await importRecord({ store: blocking, input: inPieces(text), merge, progress () {}, signal: new AbortController().signal })
}

/** As a file comes: in pieces that know nothing of lines. */
async function * inPieces (text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777)
}

const linesOf = (text: string): Line[] => text.trimEnd().split('\n').map(line => JSON.parse(line) as Line)

/** Everything that a record holds, without what belongs to its Redis or its replicas. */
async function dump ({ keys, blocking: { redis } }: Gateway): Promise<Record<string, unknown>> {
  const prefix = `{${keys.prefix}}:`
  const found: Record<string, unknown> = {}
  for (const key of await redis.keys(`${prefix}*`)) {
    const name = key.slice(prefix.length)
    if (!/^(event|body|task|test-task|open|failed|held|ended|events|sequence|ended-failed)(:|$)/.test(name)) continue
    const type = await redis.type(key)
    if (type === 'hash') {
      // The hold clock belongs to the Redis it lies in; the ages are compared by a test of their own.
      found[name] = Object.entries(await redis.hgetall(key)).map(([field, value]) => [field, field.startsWith('d:') ? inOrder({ ...JSON.parse(value) as object, q: 0 }) : value])
        .sort(([one], [other]) => String(one) < String(other) ? -1 : 1)
    } else if (type === 'zset') {
      found[name] = await redis.zrange(key, '0', '-1', 'WITHSCORES')
    } else {
      found[name] = name === 'sequence' ? 'a number' : await redis.get(key)
    }
  }
  return found
}

const inOrder = (fields: object): object => Object.fromEntries(Object.entries(fields).sort())

/** A record with one of everything. */
async function oneOfEverything (t: Test): Promise<Gateway> {
  const gateway = await open(t, ['a', 'b'], { onConflict: 'hold' })
  await accepted(gateway, { taskId: 'queued', businessId: 'ten-1', note: 'ünï😀\n' })
  const retrying = await accepted(gateway, { taskId: 'retrying' })
  await endDelivery(gateway, 'a', retrying, { state: 'retrying', waitMs: 1 })
  const delivered = await accepted(gateway, { taskId: 'delivered' })
  const failed = await accepted(gateway, { taskId: 'failed' })
  for (const name of ['a', 'b']) {
    await endDelivery(gateway, name, delivered, { state: 'delivered' })
    await endDelivery(gateway, name, failed, { state: 'failed', reason: 'exhausted' })
  }
  await accepted(gateway, { taskId: 'delivered', url: 'another content' })
  await accepted(gateway, { taskId: 'delivered', status: 2 })
  await accepted(gateway, { taskId: 'delivered', status: 0 })
  await gateway.accept(callback({ taskId: 'delivered' }))
  const discarded = await accepted(gateway, { taskId: 'discarded' })
  await giveUp(gateway.blocking, ['a', 'b'].map(subscriber => ({ eventId: discarded, subscriber })))
  await accepted(gateway, { taskId: 'queued', type: 'test-type' }, { flags: ['test', 'spooled'], only: 'b' })
  const gone = await accepted(gateway, { taskId: 'gone early' })
  for (const name of ['a', 'b']) await endDelivery(gateway, name, gone, { state: 'delivered' })
  await gateway.blocking.redis.zadd(gateway.keys.ended, 1, gone)
  await gateway.blocking.redis.hset(gateway.keys.event(failed), 'd:b', JSON.stringify({ s: 'failed', g: 3, n: 41, b: 20, q: 1, c: 503, e: 'HTTP 503', r: 'rpl_1', w: 'evt_other' }))
  return gateway
}

/** Takes the oldest finished event away, as a full Redis does; its claim stays. */
async function takeOldest ({ blocking }: Gateway): Promise<void> {
  await operator.config('SET', 'maxmemory', '100gb')
  const { usedBytes } = (await readMemory(blocking.redis, blocking.keys))!
  await operator.config('SET', 'maxmemory', String(Math.floor(usedBytes / (SHORT_ABOVE + 0.05))))
  await evict(blocking, { windowMs: DAY, above: SHORT_ABOVE })
  await operator.config('SET', 'maxmemory', '0')
}

t.test('an import of an export is the same record', async t => {
  const source = await oneOfEverything(t)
  const target = await open(t)
  const result = await imported(target, await exported(source))
  t.match(result, { events: 10, there: 0, duplicates: 0, tasks: 7 })
  const [before, after] = [await dump(source), await dump(target)]
  t.equal(JSON.stringify(after, null, 1), JSON.stringify(sortedLike(before, after), null, 1))
  t.ok(Object.keys(after).length > 20)
})

/** The same entries in the order of another object. */
function sortedLike (entries: Record<string, unknown>, order: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries([...new Set([...Object.keys(order), ...Object.keys(entries)])].filter(name => name in entries).map(name => [name, entries[name]]))
}

t.test('what is owed is delivered, and nothing else', async t => {
  const source = await oneOfEverything(t)
  const owed = (await allEvents(source)).flatMap(({ event, deliveries }) =>
    deliveries.filter(({ state }) => state === 'queued' || state === 'retrying').map(({ subscriber }) => `${event.id} ${subscriber}`)).sort()
  const target = await open(t)
  await imported(target, await exported(source))
  const { deliver, sent } = recordingDeliver()
  await target.work(deliver)
  t.equal(await target.reconciler().round(), owed.length)
  await until('all are sent', async () => (await target.queues.count('a')).jobs === 0 && (await target.queues.count('b')).jobs === 0)
  t.strictSame(sent.map(({ event, subscriber }) => `${event.id} ${subscriber}`).sort(), owed)
  t.match(sent.find(({ event }) => event.taskId === 'queued')!.body, /ünï😀/)
})

t.test('a duplicate is a duplicate, a revision has the next number, and a claim without its event outlives the move', async t => {
  const source = await open(t, ['a'])
  const first = await accepted(source, { taskId: 't' })
  await accepted(source, { taskId: 't', url: 'other' })
  await endDelivery(source, 'a', await accepted(source, { taskId: 'went early' }), { state: 'delivered' })
  await takeOldest(source)
  const target = await open(t, ['a'])
  await imported(target, await exported(source))
  t.match(await target.accept(callback({ taskId: 't' })), { kind: 'duplicate', eventId: first })
  const third = await accepted(target, { taskId: 't', url: 'third' })
  t.match(await allEvents(target, { eventIds: [third] }), [{ event: { revision: 3 } }])
  t.match(await target.accept(callback({ taskId: 'went early' })), { kind: 'duplicate' })
  const buckets = async ({ blocking, keys }: Gateway): Promise<string[]> =>
    Object.entries(await blocking.redis.hgetall(keys.claims)).flatMap(([name, value]) => name.startsWith('b:') ? [value] : [])
  t.strictSame(await buckets(target), await buckets(source), 'for as long as it would have')
})

t.test('new events come after those that were imported, whatever the clock says', async t => {
  const source = await open(t, ['a'])
  await accepted(source, { taskId: 't' })
  const ahead = linesOf(await exported(source)).map(line => line.kind === 'event' ? { ...line, sequence: line.sequence + 1e12 } : line)
  const target = await open(t, ['a'])
  await imported(target, ahead.map(writeLine).join(''))
  await accepted(target, { taskId: 'new' })
  t.strictSame((await allEvents(target)).map(({ event }) => event.taskId), ['new', 't'])
})

t.test('ages go on where they were, without the time between, also of a subscriber on hold', async t => {
  const source = await open(t, ['a', 'b'])
  await setHold(source.blocking, 'b', 'pause')
  const id = await accepted(source, { taskId: 't' })
  for (const name of ['a', 'b']) {
    const field = JSON.parse((await source.blocking.redis.hget(source.keys.event(id), `d:${name}`))!) as { q: number }
    await source.blocking.redis.hset(source.keys.event(id), `d:${name}`, JSON.stringify({ ...field, q: field.q - 3_600_000 }))
  }
  const text = await exported(source)
  const target = await open(t, ['a', 'b'])
  await target.blocking.redis.hset(target.keys.subscriber('a'), 'heldTotal', 50_000)
  await imported(target, text)
  t.match(linesOf(text).filter(({ kind }) => kind === 'subscriber'), [{ name: 'b', holds: ['pause'] }])
  t.equal(await target.blocking.redis.hexists(target.keys.subscriber('b'), 'hold:pause'), 1)
  const again = linesOf(await exported(target)).find(line => line.kind === 'event')!
  for (const { subscriber, ageMs } of again.deliveries) t.ok(Math.abs(ageMs - 3_600_000) < 5_000, `${subscriber} has waited for ${ageMs} ms`)
})

t.test('an import that was cut off anywhere is completed by running it again', async t => {
  const source = await oneOfEverything(t)
  const text = await exported(source)
  const once = await open(t)
  await imported(once, text)
  const expected = JSON.stringify(await dump(once))
  const target = await open(t)
  for (let at = 50; at < text.length - 5; at += Math.ceil(text.length / 40)) {
    await t.rejects(imported(target, text.slice(0, at)), { code: 'INVALID_REQUEST', message: /^it ends before its end/ })
  }
  t.match(await imported(target, text), { events: Number, there: Number })
  const found = await dump(target)
  t.equal(JSON.stringify(sortedLike(found, await dump(once))), expected)
})

t.test('a record that is in use is not imported into by accident, nor twice', async t => {
  const source = await open(t, ['a'])
  await accepted(source, { taskId: 't' })
  const text = await exported(source)
  const used = await open(t, ['a'])
  await accepted(used, { taskId: 'own' })
  await t.rejects(imported(used, text), { code: 'CONFLICT', message: /has 1 events already.*--merge/ })
  t.equal((await allEvents(used)).length, 1)
  const target = await open(t, ['a'])
  await imported(target, text)
  await t.rejects(imported(target, text), { code: 'CONFLICT' }, 'its events may be delivered and gone by now')
})

t.test('merged: the same callback stays one event, other content another one', async t => {
  const source = await open(t, ['a'])
  await accepted(source, { taskId: 'same' })
  await accepted(source, { taskId: 'differs', url: 'there' })
  await accepted(source, { taskId: 'only there' })
  const target = await open(t, ['a'])
  const own = await accepted(target, { taskId: 'same' })
  await accepted(target, { taskId: 'differs', url: 'here' })
  t.match(await imported(target, await exported(source), true), { events: 2, duplicates: 1, there: 0 })
  const events = await allEvents(target)
  t.equal(events.length, 4)
  t.strictSame(events.filter(({ event }) => event.taskId === 'same').map(({ event }) => event.id), [own])
})

/** More than any page, step or batch holds. */
const MANY = 250

/** A record whose events have these sequences and no others, oldest first: those of a clock that was set back. */
async function withSequencesFrom (t: Test, first: number, name: string): Promise<{ gateway: Gateway, ids: string[] }> {
  const gateway = await open(t, ['a'])
  await gateway.blocking.redis.set(gateway.keys.sequence, first - 1)
  const ids: string[] = []
  for (let n = 0; n < MANY; n++) ids.push(await accepted(gateway, { taskId: `${name}-${n}` }))
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.sequence - first).reverse(), ids.map((_, n) => n))
  return { gateway, ids }
}

t.test('merged: hundreds of events with sequences that others have are in every list once, and stay in their order', async t => {
  const first = (Date.now() + DAY) * 1_000
  const source = await withSequencesFrom(t, first, 'there')
  const { gateway: target, ids } = await withSequencesFrom(t, first, 'here')
  const calls = await callsDuring(operator as Redis, async () => {
    t.match(await imported(target, await exported(source.gateway), true), { events: MANY, duplicates: 0, there: 0 })
  })
  t.ok(calls.of('zcount') <= 60 * MANY, `a long run of taken sequences is passed over in few steps: ${calls.of('zcount')}`)
  const everyOne = [...ids, ...source.ids].sort()

  const pages = await pagesOf(target, 7)
  t.strictSame([...pages].sort(), everyOne, 'page by page')
  t.strictSame(pages.filter(id => source.ids.includes(id)).reverse(), source.ids, 'what was imported is in the order it had')
  t.strictSame(pages.filter(id => ids.includes(id)).reverse(), ids, 'and so is what was there')

  const again = await open(t, ['a'])
  t.match(await imported(again, await exported(target)), { events: 2 * MANY }, 'an export has them all')

  t.equal(await target.reconciler({ small: 10, step: 100 }).round(), MANY, 'and so has the queue')
  t.equal(await discardedByOrder(target), 2 * MANY, 'and an order')
})

t.test('events of an export that all have one sequence are imported in their order, each with a sequence of its own', async t => {
  const { gateway: source, ids } = await withSequencesFrom(t, (Date.now() + DAY) * 1_000, 'there')
  const lines = linesOf(await exported(source)).map(line => line.kind === 'event' ? { ...line, sequence: 1_000 } : line)
  const target = await open(t, ['a'])
  await imported(target, lines.map(writeLine).join(''))
  t.strictSame((await pagesOf(target, 7)).reverse(), ids)
  await imported(target, lines.map(writeLine).join(''), true)
  t.strictSame((await pagesOf(target, 7)).reverse(), ids, 'and stay where they are when they come again')
})

/** The ids of all events, newest first, by pages of so many. */
async function pagesOf ({ store }: Gateway, limit: number): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: number | null | undefined; cursor !== null;) {
    const page = await selectEvents(store, {}, { limit, cursor: cursor ?? null })
    ids.push(...page.rows.map(({ event }) => event.id))
    cursor = page.next
  }
  return ids
}

/** How many deliveries an order gives up that means all that wait. */
async function discardedByOrder ({ blocking, queues, policy, facts }: Gateway): Promise<number> {
  const runner = createOrderRunner({ store: blocking, queues, subscribers: () => policy.subscribers, windowMs: () => policy.dedupe.windowMs, report: fact => { facts.push(fact) } })
  const id = await placeOrder(blocking, { kind: 'discard', filter: { states: ['queued'] } })
  runner.start()
  await until('the order is done', async () => (await readOrder(blocking, id))!.state === 'done')
  await runner.stop()
  const { matched, discarded } = (await readOrder(blocking, id))!
  if (matched !== discarded) throw new Error(`${matched} were meant, ${discarded} discarded`)
  return discarded
}

t.test('a task with many events has them all on the other side, merged or not', async t => {
  const source = await open(t, ['a'])
  const target = await open(t, ['a'])
  for (const gateway of [source, target]) for (let n = 0; n < 30; n++) await accepted(gateway, { taskId: 'merged', of: gateway.keys.prefix, n })
  for (let n = 0; n < 30; n++) await accepted(source, { taskId: 'moved', n })
  await imported(target, await exported(source), true)
  for (const [taskId, count] of [['merged', 60], ['moved', 30]] as const) {
    const ofTask = (await allEvents(target, { taskIds: [taskId] })).map(({ event }) => event.id)
    t.strictSame(ofTask, (await allEvents(target)).filter(({ event }) => event.taskId === taskId).map(({ event }) => event.id))
    t.equal(ofTask.length, count)
    t.equal(await target.blocking.redis.zcard(target.keys.eventsOfTask(taskId)), count, 'and its index as well')
  }
})

t.test('when a final one arrived is known on the other side, merged or not: what it overtook is not late', async t => {
  const source = await open(t, ['a'])
  const at = Date.now() - 60_000
  await accepted(source, { taskId: 'both', status: 1, url: 'there' }, { receivedAt: at })
  await accepted(source, { taskId: 'only there', status: 1 }, { receivedAt: at })
  await accepted(source, { taskId: 'unknown', status: 1 }, { receivedAt: at })
  await source.blocking.redis.hdel(source.keys.task('unknown'), 'finalAt')
  const target = await open(t, ['a'])
  await accepted(target, { taskId: 'both', status: 1, url: 'here' }, { receivedAt: at - 60_000 })
  await accepted(target, { taskId: 'unknown', status: 1, url: 'here' }, { receivedAt: at })
  await imported(target, await exported(source), true)
  const flagsAt = async (taskId: string, receivedAt: number): Promise<string[]> => {
    const id = await accepted(target, { taskId, status: 0, n: receivedAt }, { receivedAt })
    return (await allEvents(target, { eventIds: [id] }))[0]!.event.flags
  }
  t.strictSame(await flagsAt('only there', at - 1), [])
  t.strictSame(await flagsAt('only there', at), ['late'])
  t.strictSame(await flagsAt('both', at - 1), ['late'], 'the first of both sides counts')
  t.strictSame(await flagsAt('both', at - 60_001), [])
  t.strictSame(await flagsAt('unknown', at - 60_000), ['late'], 'what an earlier release has not noted came first')
})

t.test('an event that came again after the window is a second event on the other side as well', async t => {
  const source = await open(t, ['a'], { windowMs: 1 })
  await accepted(source, { taskId: 't' })
  await until('the window is over', async () => (await source.accept(callback({ taskId: 't' }))).kind === 'accepted')
  const count = (await allEvents(source)).length
  const text = await exported(source)
  const target = await open(t, ['a'])
  t.match(await imported(target, text), { events: count, duplicates: 0 })
  // An export beside a running gateway may have the claim of the first and the event of the second.
  const stale = linesOf(text).map(line => line.kind === 'task' ? { ...line, formerEvents: [], claims: line.claims.map(claim => ({ ...claim, eventId: firstEvent(text) })) } : line)
  const another = await open(t, ['a'])
  t.match(await imported(another, stale.map(writeLine).join('')), { events: count, duplicates: 0 })
})

const firstEvent = (text: string): string => linesOf(text).find(line => line.kind === 'event')!.id

t.test('what is accepted while the export runs is in it, or is accepted again: no claim is without its event', async t => {
  const source = await open(t, ['a'])
  for (let n = 0; n < 300; n++) await accepted(source, { taskId: `before-${n}` })
  let sending = true
  const sender = (async () => { for (let n = 0; sending; n++) await accepted(source, { taskId: `meanwhile-${n}` }) })()
  const text = await exported(source)
  sending = false
  await sender
  const target = await open(t, ['a'])
  await imported(target, text)
  const events = await allEvents(target)
  const there = new Set(events.map(({ event }) => event.taskId))
  for (let n = 0; n < 300; n++) if (!there.has(`before-${n}`)) t.fail(`before-${n} is missing`)
  t.ok(events.length > 300, `${events.length - 300} came meanwhile`)
  const claims = linesOf(await exported(target)).flatMap(line => line.kind === 'task' ? line.claims : [])
  const ids = new Set(events.map(({ event }) => event.id))
  t.equal(claims.filter(({ eventId }) => !ids.has(eventId)).length, 0)
  t.equal(claims.length, events.length)
})

t.test('a Redis that becomes full ends the import, and loses nothing of it', async t => {
  const source = await open(t, ['a'])
  for (let n = 0; n < 20; n++) await accepted(source, { taskId: `t${n}` })
  const text = await exported(source)
  const target = await open(t, ['a'])
  await operator.config('SET', 'maxmemory', '1')
  await t.rejects(imported(target, text), /OOM/)
  await operator.config('SET', 'maxmemory', '0')
  t.match(await imported(target, text), { events: 20 })
})

t.test('an export that was cut short goes on behind its last event', async t => {
  const source = await open(t, ['a'])
  for (let n = 0; n < 450; n++) await accepted(source, { taskId: `t${n}` })
  const lines = linesOf(await exported(source))
  const events = lines.filter(line => line.kind === 'event')
  const from = { counts: { subscribers: 0, tasks: 450, events: 201 }, after: events[200]!.sequence }
  let rest = ''
  const counts = await exportRecord({ store: source.blocking, version: '1.2.3', from, progress () {}, signal: new AbortController().signal, write: async more => { rest += more } })
  t.strictSame(counts, { subscribers: 0, tasks: 450, events: 450 })
  t.strictSame(linesOf(rest).flatMap(line => line.kind === 'event' ? line.id : []), events.slice(201).map(({ id }) => id))
})

t.test('bodies are read a few megabytes at a time, and large ones arrive byte for byte', async t => {
  const source = await open(t, ['a'])
  for (let n = 0; n < 6; n++) await accepted(source, { taskId: `t${n}`, filling: String(n).repeat(3_000_000) })
  let most = 0
  let text = ''
  await exportRecord({
    store: source.blocking,
    version: '1.2.3',
    from: null,
    progress () {},
    signal: new AbortController().signal,
    async write (more) {
      most = Math.max(most, more.length)
      text += more
    }
  })
  t.ok(most < 6_000_000, `at most ${most} characters at a time`)
  const target = await open(t, ['a'])
  t.match(await imported(target, text), { events: 6 })
  const [id] = [firstEvent(text)]
  t.ok((await source.blocking.redis.getBuffer(source.keys.body(id)))!.equals((await target.blocking.redis.getBuffer(target.keys.body(id)))!))
})

t.test('what is no export is refused, with the line and what is wrong', async t => {
  const source = await open(t, ['a'])
  await accepted(source, { taskId: 't' })
  const text = await exported(source)
  const [header, task, event, end] = text.trimEnd().split('\n') as [string, string, string, string]
  const changed = (line: string, change: object): string => JSON.stringify({ ...JSON.parse(line) as object, ...change })
  const cases: Array<[what: string, text: string, says: RegExp]> = [
    ['nothing', '', /^it is empty/],
    ['a web page', '<html>\n', /^line 1 is no JSON/],
    ['other JSON', '{"a":1}\n', /^line 1 has no kind that this release knows/],
    ['a newer format', changed(header, { format: 'fotor-relay-export/2' }) + '\n', new RegExp(`^line 1 is not of the format ${FORMAT}`)],
    ['no header', `${task}\n${event}\n${end}\n`, /^line 1 is no header/],
    ['two exports in one', text + text.replace(end + '\n', ''), /./],
    ['a header in the middle', `${header}\n${task}\n${header}\n`, /^line 3 is a second header/],
    ['a field that lacks', `${header}\n${task}\n${changed(event, { taskId: undefined })}\n${end}\n`, /^line 3 is no event: it must have required property 'taskId'/],
    ['a wrong state', `${header}\n${changed(event, { deliveries: [{ ...(JSON.parse(event) as { deliveries: object[] }).deliveries[0], state: 'lost' }] })}\n`, /^line 2 is no event: deliveries.0.state must/],
    ['a body that is cut', `${header}\n${changed(event, { body: 'e30=' })}\n`, /^line 2 is no event: its body has 2 bytes and its size says/],
    ['no end', `${header}\n${task}\n${event}\n`, /^it ends before its end/],
    ['a line that is cut', `${header}\n${task}\n${event.slice(0, 100)}`, /^it ends before its end/]
  ]
  for (const [what, wrong, says] of cases) {
    const target = await open(t, ['a'])
    if (what === 'two exports in one') t.match(await imported(target, wrong), { events: 1 }, 'what stands behind the end is not looked at')
    else await t.rejects(imported(target, wrong), { code: 'INVALID_REQUEST', message: says }, what)
  }
})

t.test('a failed delivery can be replayed on the other side', async t => {
  const source = await open(t, ['a'])
  const id = await accepted(source, { taskId: 't' })
  await endDelivery(source, 'a', id, { state: 'failed', reason: 'exhausted' })
  const target = await open(t, ['a'])
  await imported(target, await exported(source))
  t.match(await allEvents(target, { states: ['failed'] }), [{ event: { id }, deliveries: [{ state: 'failed', attempts: 1 }] }])
})

t.test('what is remembered of thousands of deleted events is remembered on the other side, and comes twice without harm', async t => {
  const source = await open(t, [])
  const ids = await Promise.all(Array.from({ length: 1_000 }, async (_, n) => await accepted(source, { taskId: `t-${n}` })))
  await sweep(source.blocking, { eventsMs: 0, failedMs: 0, windowMs: DAY })
  const target = await open(t, [])
  const text = await exported(source)
  await imported(target, text)
  await imported(target, text, true)
  t.equal((await readClaims(target.blocking)).claims, 1_000)
  for (const [n, eventId] of ids.entries()) t.strictSame(await target.accept(callback({ taskId: `t-${n}` })), { kind: 'duplicate', eventId })
})

t.test('whatever was accepted can be exported and imported, however long its content type is', async t => {
  const source = await open(t, ['a'])
  const contentType = `application/json; p=${'x'.repeat(15_000)}`
  const arrival = { ...callback({ taskId: 't' }), contentType }
  t.match(await source.accept(arrival), { kind: 'accepted' })
  const target = await open(t, ['a'])
  await imported(target, await exported(source))
  t.match(await allEvents(target), [{ event: { contentType } }])
})
