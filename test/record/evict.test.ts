/**
 * When memory is short, finished events are evicted, and nothing
 * else is.
 */
import t, { type Test } from '../support/tap.js'
import type { DedupePolicy } from '../../src/model/dedupe.js'
import { createEvictor, ENOUGH_AT, evict, SHORT_ABOVE, type EvictResult } from '../../src/record/evict.js'
import { setHold } from '../../src/record/holds.js'
import { readStats } from '../../src/record/read-subscribers.js'
import { createSweeper } from '../../src/record/sweep.js'
import { readMemory } from '../../src/redis/memory.js'
import { callsDuring } from './calls.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, callback, endDelivery, openGateway, policyFor, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const operator = server.client()

const DAY = 86_400_000
const KB = 1024

let prefixes = 0
async function open (t: Test, names = ['a'], dedupe: Partial<DedupePolicy> = {}): Promise<Gateway> {
  await operator.flushall()
  await operator.config('SET', 'maxmemory', '0')
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names, dedupe) })
}

/**
 * Leaves Redis so much memory that what is used now is this share of it. Redis
 * gives back the buffers of clients that are idle for two seconds, some tens of
 * kilobytes: a test keeps as much away from the share it is about.
 */
async function useUp ({ blocking: { redis, keys } }: Gateway, share: number): Promise<void> {
  await operator.config('SET', 'maxmemory', '100gb')
  const { usedBytes } = (await readMemory(redis, keys))!
  await operator.config('SET', 'maxmemory', String(Math.floor(usedBytes / share)))
}

async function shareUsed ({ blocking: { redis, keys } }: Gateway): Promise<number> {
  const { usedBytes, maxBytes } = (await readMemory(redis, keys))!
  return usedBytes / maxBytes
}

/** Takes as long as it takes, unless it is told. */
async function round ({ blocking }: Gateway, roundMs = Infinity): Promise<EvictResult> {
  return (await evict(blocking, { windowMs: DAY, above: SHORT_ABOVE, roundMs }))!
}

/** So many events of some size, each delivered to all, or failed to `a`, before the next comes; in the order in which they ended, of those in the same millisecond by id. */
async function finished (gateway: Gateway, { name = 't', count, bytes = 32 * KB, failed = false }: { name?: string, count: number, bytes?: number, failed?: boolean }): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const id = await accepted(gateway, { taskId: `${name}-${n}`, filling: 'x'.repeat(bytes) })
    for (const subscriber of gateway.policy.subscribers) {
      const fails = failed && subscriber.name === 'a'
      await endDelivery(gateway, subscriber.name, id, fails ? { state: 'failed', reason: 'exhausted' } : { state: 'delivered' })
    }
    ids.push(id)
  }
  const { keys, blocking: { redis } } = gateway
  return (await redis.zrange(failed ? keys.endedFailed : keys.ended, '0', '-1')).filter(id => ids.includes(id))
}

/** Sorted. */
async function left (gateway: Gateway): Promise<string[]> {
  return (await allEvents(gateway)).map(({ event }) => event.id).sort()
}

t.test('nothing is evicted while memory is not short', async t => {
  const gateway = await open(t)
  const ids = await finished(gateway, { count: 20 })
  await useUp(gateway, SHORT_ABOVE - 0.05)
  t.match(await round(gateway), { events: 0, failed: 0, nothingLeft: false })
  t.strictSame(await left(gateway), ids.toSorted())
})

t.test('when it is short the oldest go, as many as it takes and no more', async t => {
  const gateway = await open(t)
  const ids = await finished(gateway, { count: 400 })
  await useUp(gateway, SHORT_ABOVE + 0.02)
  const { events, failed, nothingLeft } = await round(gateway)
  t.ok(events > 0 && events < 200, `${events} went`)
  t.match({ failed, nothingLeft }, { failed: 0, nothingLeft: false })
  t.strictSame(await left(gateway), ids.slice(events).toSorted(), 'those that ended first')
  const share = await shareUsed(gateway)
  t.ok(share <= ENOUGH_AT && share > ENOUGH_AT - 0.02, `${share} is used`)
  t.equal((await round(gateway)).events, 0, 'and that is enough')
})

t.test('large bodies are not deleted by the hundred', async t => {
  const gateway = await open(t)
  await finished(gateway, { count: 60, bytes: 512 * KB })
  await useUp(gateway, SHORT_ABOVE + 0.01)
  await round(gateway)
  t.ok(await shareUsed(gateway) > ENOUGH_AT - 0.03)
})

t.test('what ended first goes first, whenever it came', async t => {
  const gateway = await open(t)
  const late = await accepted(gateway, { taskId: 'slow', filling: 'x'.repeat(64 * KB) })
  const ids = await finished(gateway, { count: 40, bytes: 64 * KB })
  await endDelivery(gateway, 'a', late, { state: 'delivered' })
  await useUp(gateway, 0.9)
  const { events } = await round(gateway)
  t.strictSame(await left(gateway), [late, ...ids.slice(events)].sort())
})

t.test('those with a failed delivery go when there are no others', async t => {
  const gateway = await open(t, ['a', 'b'])
  const failed = await finished(gateway, { name: 'failed', count: 30, bytes: 64 * KB, failed: true })
  await finished(gateway, { name: 'delivered', count: 10, bytes: 64 * KB })

  await useUp(gateway, SHORT_ABOVE + 0.01)
  t.match(await round(gateway), { events: Number, failed: 0 })
  const rest = await left(gateway)
  t.strictSame(failed.filter(id => !rest.includes(id)), [], 'all failed ones are there, although they are older')

  await useUp(gateway, 0.99)
  const { events, failed: gone } = await round(gateway)
  t.ok(gone > 0 && gone < events)
  t.strictSame(await left(gateway), failed.slice(gone).toSorted(), 'then the oldest of them')
  t.equal(await gateway.blocking.redis.zcard(gateway.keys.failed('a')), 30 - gone, 'nothing is left of them to be replayed')
})

t.test('nothing open or held goes, however full Redis is', async t => {
  const gateway = await open(t, ['a', 'b'], { onConflict: 'hold' })
  const queued = await accepted(gateway, { taskId: 'queued' })
  await gateway.blocking.redis.zadd(gateway.keys.ended, 1, queued) // even if it were taken for ended
  await endDelivery(gateway, 'b', queued, { state: 'delivered' })
  const retrying = await accepted(gateway, { taskId: 'retrying' })
  await endDelivery(gateway, 'a', retrying, { state: 'retrying', waitMs: DAY })
  await endDelivery(gateway, 'b', retrying, { state: 'failed', reason: 'exhausted' })
  const first = await accepted(gateway, { taskId: 'conflict', url: 'one' })
  for (const name of ['a', 'b']) await endDelivery(gateway, name, first, { state: 'delivered' })
  const conflict = await accepted(gateway, { taskId: 'conflict', url: 'two' })
  const paused = await accepted(gateway, { taskId: 'paused' })
  await setHold(gateway.blocking, 'a', 'pause')
  const before = (await gateway.blocking.redis.keys('*')).length

  await operator.config('SET', 'maxmemory', '1')
  t.match(await round(gateway), { events: 1, failed: 0, nothingLeft: true })
  t.strictSame(await left(gateway), [queued, retrying, conflict, paused].sort(), 'all but the delivered one')
  for (const id of [queued, retrying, conflict, paused]) {
    t.equal(await gateway.blocking.redis.exists(gateway.keys.body(id)), 1, 'with its body')
  }
  t.equal((await gateway.blocking.redis.keys('*')).filter(key => key !== gateway.keys.claims).length, before - 3, 'gone are its record, its body and the index that it was alone in')

  await endDelivery(gateway, 'a', queued, { state: 'delivered' })
  t.match(await round(gateway), { events: 1 }, 'until it has ended')
})

t.test('a full Redis takes nothing, makes room, and takes it then', async t => {
  const gateway = await open(t)
  await finished(gateway, { count: 200 })
  await useUp(gateway, 1.1)
  t.match(await gateway.accept(callback({ taskId: 'new' })), { kind: 'unavailable', reason: /OOM|maxmemory/ })
  t.ok((await round(gateway)).events > 0)
  t.match(await gateway.accept(callback({ taskId: 'new' })), { kind: 'accepted' })
})

t.test('a claim outlives an event that went early', async t => {
  const gateway = await open(t)
  const [eventId] = await finished(gateway, { count: 1 })
  await useUp(gateway, SHORT_ABOVE + 0.05)
  t.match(await round(gateway), { events: 1, claims: 0 })
  const again = callback({ taskId: 't-0', filling: 'x'.repeat(32 * KB) })
  t.strictSame(await gateway.accept(again), { kind: 'duplicate', eventId })
})

t.test('what goes early is counted, and the memory can be seen', async t => {
  const gateway = await open(t)
  await finished(gateway, { name: 'delivered', count: 3 })
  await finished(gateway, { name: 'failed', count: 2, failed: true })
  t.match(await readStats(gateway.store), { deletedEarly: 0, failedDeletedEarly: 0, memory: null })
  await operator.config('SET', 'maxmemory', '1')
  await round(gateway)
  t.match(await readStats(gateway.store), { deletedEarly: 5, failedDeletedEarly: 2, events: 0, accepted: 5, memory: { usedBytes: Number, maxBytes: 1 } })
})

t.test('several gateways make room together, and no more of it', async t => {
  const gateway = await open(t)
  const ids = await finished(gateway, { count: 400 })
  await useUp(gateway, 0.9)
  const rooms = await Promise.all([round(gateway), round(gateway), round(gateway)])
  const events = rooms.reduce((sum, room) => sum + room.events, 0)
  t.strictSame(await left(gateway), ids.slice(events).toSorted())
  t.equal((await readStats(gateway.store)).deletedEarly, events)
  t.ok(await shareUsed(gateway) > ENOUGH_AT - 0.03)
})

t.test('where the memory is not known nothing goes', async t => {
  const gateway = await open(t)
  await finished(gateway, { count: 1 })
  t.equal(await evict(gateway.blocking, { windowMs: DAY, above: SHORT_ABOVE }), null, 'there is no limit')
  await operator.config('SET', 'maxmemory', '1')
  await operator.acl('SETUSER', 'default', '-info')
  t.teardown(async () => { await operator.acl('SETUSER', 'default', '+info') })
  t.equal(await evict(gateway.blocking, { windowMs: DAY, above: SHORT_ABOVE }), null, 'it is not told')
  t.equal((await left(gateway)).length, 1)
})

t.test('once begun it goes on below the mark, with what ends later', async t => {
  const gateway = await open(t)
  const work = createEvictor(gateway.blocking, { windowMs: () => DAY, report: fact => { gateway.facts.push(fact) } })
  const waiting = await Promise.all(Array.from({ length: 60 }, async (_, n) => await accepted(gateway, { taskId: `t${n}`, filling: 'x'.repeat(64 * KB) })))
  await useUp(gateway, SHORT_ABOVE - 0.01)
  await endDelivery(gateway, 'a', waiting[0]!, { state: 'delivered' })
  await work()
  t.equal((await left(gateway)).length, 60, 'below the mark nothing goes')

  await useUp(gateway, SHORT_ABOVE + 0.01)
  await work()
  t.equal((await left(gateway)).length, 59, 'above it goes what may')
  await useUp(gateway, SHORT_ABOVE - 0.01)
  await endDelivery(gateway, 'a', waiting[1]!, { state: 'delivered' })
  await work()
  t.equal((await left(gateway)).length, 58, 'and between the marks what may go by then')
  await useUp(gateway, ENOUGH_AT - 0.01)
  await work()
  await useUp(gateway, SHORT_ABOVE - 0.01)
  await endDelivery(gateway, 'a', waiting[2]!, { state: 'delivered' })
  await work()
  t.equal((await left(gateway)).length, 58, 'after there was enough it has to begin anew')
})

t.test('each round tells what went; that memory stays short is told once, and when there is enough again', async t => {
  const gateway = await open(t)
  const facts = gateway.facts
  const work = createEvictor(gateway.blocking, { windowMs: () => DAY, report: fact => { facts.push(fact) }, tellEveryMs: 0 })
  const waiting = await accepted(gateway, { taskId: 'waiting' })
  await finished(gateway, { count: 2 })
  await finished(gateway, { name: 'failed', count: 1, failed: true })
  facts.splice(0)
  await operator.config('SET', 'maxmemory', '1')
  for (let n = 0; n < 3; n++) await work()
  t.match(facts, [
    { fact: 'record.deleted-early', events: 3, failed: 1, usedBytes: Number, maxBytes: 1 },
    { fact: 'record.claims-given-up', claims: 3, before: Number },
    { fact: 'redis.memory', state: 'short', usedBytes: Number, maxBytes: 1 }
  ])
  t.equal(facts.length, 3)
  await endDelivery(gateway, 'a', waiting, { state: 'delivered' })
  facts.splice(0)
  await work()
  t.match(facts, [{ fact: 'record.deleted-early', events: 1, failed: 0 }])
  t.equal(facts.length, 1, 'it is still short')
  await useUp(gateway, 0.5)
  for (let n = 0; n < 3; n++) await work()
  t.match(facts.slice(1), [{ fact: 'redis.memory', state: 'enough' }])
  t.equal(facts.length, 2)
})

t.test('what goes in many rounds is told in few lines', async t => {
  const gateway = await open(t)
  const facts = gateway.facts
  const work = createEvictor(gateway.blocking, { windowMs: () => DAY, report: fact => { facts.push(fact) }, tellEveryMs: 600_000 })
  for (let n = 0; n < 3; n++) {
    await operator.config('SET', 'maxmemory', '0')
    await finished(gateway, { name: `round-${n}`, count: 2 })
    await operator.config('SET', 'maxmemory', '1')
    await work()
  }
  t.equal((await left(gateway)).length, 0)
  t.match(facts.filter(({ fact }) => fact === 'record.deleted-early'), [{ events: 2 }])
  t.equal(facts.filter(({ fact }) => fact === 'record.deleted-early').length, 1)
})

t.test('more than one step goes in a round, and none holds Redis up', async t => {
  const gateway = await open(t)
  await Promise.all(Array.from({ length: 1_500 }, async (_, n) => {
    await endDelivery(gateway, 'a', await accepted(gateway, { taskId: `t${n}` }), { state: 'delivered' })
  }))
  await operator.config('SET', 'maxmemory', '1')
  const calls = await callsDuring(operator, async () => { t.match(await round(gateway), { events: 1_500, nothingLeft: true }) })
  const scripts = calls.of('evalsha')
  t.ok(scripts >= 15, `no script deletes more than a hundred: there were ${scripts}`)
  t.ok(calls.all <= 10 * 1_500, `none does more for an event because there are many: ${calls.all} calls`)
})

t.test('a round that takes too long ends with its step, and the next goes on', async t => {
  const gateway = await open(t)
  await finished(gateway, { count: 150, bytes: 0 })
  await operator.config('SET', 'maxmemory', '1')
  t.match(await round(gateway, 0), { events: 100, nothingLeft: false })
  t.match(await round(gateway, 0), { events: 50, nothingLeft: true })
})

t.test('the sweeper does all this by itself', async t => {
  const gateway = await open(t)
  await finished(gateway, { count: 200 })
  await useUp(gateway, 0.9)
  const sweeper = createSweeper(gateway.blocking, { policy: () => ({ eventsMs: DAY, failedMs: DAY, windowMs: DAY }), report: () => {} })
  sweeper.start()
  await until('there is room', async () => await shareUsed(gateway) <= ENOUGH_AT)
  await sweeper.stop()
})
