/**
 * What is remembered of deleted events: in few bytes, for the window and no
 * longer than a sixth more, and in no more memory than it may take.
 */
import fc from 'fast-check'
import t, { type Test } from '../support/tap.js'
import { CLAIM_BYTES, type DedupePolicy } from '../../src/model/dedupe.js'
import type { Flag } from '../../src/model/event.js'
import { createClaimsSweeper, collectClaimsAnew, readClaims, sweepClaims } from '../../src/record/claims.js'
import { evict, SHORT_ABOVE } from '../../src/record/evict.js'
import { sweep, type SweepPolicy } from '../../src/record/sweep.js'
import { readMemory } from '../../src/redis/memory.js'
import { callsDuring } from './calls.js'
import { startRedis } from '../support/redis.js'
import { accepted, allEvents, callback, endDelivery, openGateway, policyFor, type Gateway } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const operator = server.client()

const DAY = 86_400_000
const WEEK = 7 * DAY
const NOW: SweepPolicy = { eventsMs: 0, failedMs: 0, windowMs: WEEK }

let prefixes = 0
async function open (t: Test, names: string[] = [], dedupe: Partial<DedupePolicy> = {}): Promise<Gateway> {
  await operator.flushall()
  await operator.config('SET', 'maxmemory', '0')
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names, { windowMs: WEEK, ...dedupe }) })
}

/** Accepts so many, each of its own task, and deletes their events. */
async function remembered (gateway: Gateway, { name = 't', count }: { name?: string, count: number }): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n += 200) {
    ids.push(...await Promise.all(Array.from({ length: Math.min(200, count - n) }, async (_, at) => await accepted(gateway, { taskId: `${name}-${n + at}` }))))
  }
  await sweep(gateway.blocking, NOW)
  return ids
}

async function eventsLeft ({ blocking: { redis }, keys }: Gateway): Promise<number> {
  return await redis.zcard(keys.events)
}

/** Moves every claim that is there into the past, as if it had been made so much earlier. */
async function age ({ blocking: { redis }, keys }: Gateway, ms: number): Promise<void> {
  for (const [name, value] of Object.entries(await redis.hgetall(keys.claims))) {
    if (!name.startsWith('b:')) continue
    const [from, till, last, ...rest] = value.split(' ')
    await redis.hset(keys.claims, name, [...[from, till, last].map(time => Number(time) - ms), ...rest].join(' '))
  }
}

t.test('each of thousands is known again, with the event it was', async t => {
  const gateway = await open(t)
  const ids = await remembered(gateway, { count: 3_000 })
  t.equal(await eventsLeft(gateway), 0)
  t.match(await readClaims(gateway.blocking), { claims: 3_000, forgottenBefore: null })
  const answers = await Promise.all(ids.map(async (_, n) => await gateway.accept(callback({ taskId: `t-${n}` }))))
  t.strictSame(answers, ids.map(eventId => ({ kind: 'duplicate', eventId })))
  t.match(await gateway.accept(callback({ taskId: 't-3000' })), { kind: 'accepted' }, 'and nothing else is')
})

t.test('a claim takes no more than it is said to take, on a server that nobody has set', async t => {
  const gateway = await open(t)
  const bytes = async (): Promise<number> => (await Promise.all((await operator.keys(`${gateway.keys.claims}*`))
    .map(async key => Number(await operator.memory('USAGE', key, 'SAMPLES', 0))))).reduce((sum, each) => sum + each, 0)
  const count = 5_000
  await Promise.all(Array.from({ length: count }, async (_, n) => await accepted(gateway, { taskId: `a1b2c3d4-e5f6-7890-abcd-${String(n).padStart(12, '0')}` })))
  await sweep(gateway.blocking, NOW)
  t.equal((await readClaims(gateway.blocking)).claims, count)
  t.ok(await bytes() <= CLAIM_BYTES * count, `${await bytes() / count} bytes each`)
  for (const key of await operator.keys(`${gateway.keys.claims}:*`)) t.equal(await operator.object('ENCODING', key), 'listpack')
})

t.test('whatever a task was told is known as if its events were there', async t => {
  const step = fc.record({ status: fc.constantFrom(-1, 0, 1, 2, 4_000_000_000), content: fc.integer({ min: 0, max: 3 }), swept: fc.boolean(), test: fc.boolean() })
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async steps => {
    const [keeping, forgetting] = [await open(t, ['a']), await open(t, ['a'])]
    const known = new Map<string, number>()
    for (const [n, { status, content, swept, test }] of steps.entries()) {
      const arrival = callback({ taskId: 'one', status, content }, { flags: test ? ['test'] as Flag[] : [] })
      const answers = await Promise.all([keeping, forgetting].map(async gateway => {
        const answer = await gateway.accept(arrival)
        if (answer.kind !== 'accepted' && answer.kind !== 'duplicate') throw new Error(answer.kind)
        if (answer.kind === 'duplicate') return { duplicateOf: known.get(answer.eventId) }
        known.set(answer.eventId, n)
        const [row] = await allEvents(gateway, { eventIds: [answer.eventId] })
        const { revision, flags } = row!.event
        for (const { subscriber } of row!.deliveries) await endDelivery(gateway, subscriber, answer.eventId, { state: 'delivered' })
        return { revision, flags, deliveries: row!.deliveries.length }
      }))
      if (JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) throw new Error(JSON.stringify(answers))
      if (swept) await sweep(forgetting.blocking, NOW)
    }
  }), { numRuns: 25 })
})

t.test('a shorter window is in force at once, and nothing is left of what is over', async t => {
  const gateway = await open(t)
  await remembered(gateway, { count: 500 })
  await age(gateway, DAY)
  gateway.policy.dedupe.windowMs = DAY / 2
  t.match(await gateway.accept(callback({ taskId: 't-7' })), { kind: 'accepted' }, 'also before anything was removed')
  t.match(await sweepClaims(gateway.blocking, { windowMs: DAY / 2 }), { claims: 0, givenUp: 0, forgottenBefore: null })
  t.strictSame(await operator.keys(`${gateway.keys.claims}:*`), [])
})

t.test('a longer window keeps what is there', async t => {
  const gateway = await open(t, [], { windowMs: DAY })
  const ids = await remembered(gateway, { count: 10 })
  await age(gateway, 2 * DAY)
  gateway.policy.dedupe.windowMs = WEEK
  t.match(await sweepClaims(gateway.blocking, { windowMs: WEEK }), { claims: 10 })
  t.strictSame(await gateway.accept(callback({ taskId: 't-3' })), { kind: 'duplicate', eventId: ids[3] })
})

t.test('a claim is in force for the window from when it was made, however late its event is deleted', async t => {
  const gateway = await open(t)
  await remembered(gateway, { count: 1 })
  await age(gateway, WEEK - 60_000)
  t.match(await sweepClaims(gateway.blocking, { windowMs: WEEK }), { claims: 1 })
  await age(gateway, 120_000)
  t.match(await sweepClaims(gateway.blocking, { windowMs: WEEK }), { claims: 0 })

  const { redis } = gateway.blocking
  await accepted(gateway, { taskId: 'kept' })
  const claim = Object.entries(await redis.hgetall(gateway.keys.task('kept'))).find(([name]) => name.startsWith('c:'))!
  await redis.hset(gateway.keys.task('kept'), claim[0], claim[1].replace(/ \d+$/, ` ${Date.now() - WEEK - 1}`))
  await sweep(gateway.blocking, NOW)
  t.equal((await readClaims(gateway.blocking)).claims, 0, 'nothing is remembered whose time is over')
})

t.test('claims that are more than they may be give way, the oldest first, and it is said before when', async t => {
  const gateway = await open(t)
  const policy = { windowMs: WEEK, claimsMemoryBytes: 800 * CLAIM_BYTES }
  await sweepClaims(gateway.blocking, policy)
  await remembered(gateway, { name: 'old', count: 400 })
  await age(gateway, 3 * DAY)
  await remembered(gateway, { name: 'young', count: 600 })
  const facts: unknown[] = []
  await createClaimsSweeper(gateway.blocking, { policy: () => policy, report: fact => { facts.push(fact) } })()
  const { claims, mostClaims, forgottenBefore } = await readClaims(gateway.blocking)
  t.equal(mostClaims, 800)
  t.ok(claims <= 800 && claims >= 600, `${claims} are left`)
  t.match(facts, [{ fact: 'record.claims-given-up', claims: 1_000 - claims, before: forgottenBefore }])
  t.ok(forgottenBefore! <= Date.now() - 2 * DAY)
  t.match(await gateway.accept(callback({ taskId: 'young-599' })), { kind: 'duplicate' })
  t.match(await gateway.accept(callback({ taskId: 'old-0' })), { kind: 'accepted' })

  await operator.hset(gateway.keys.claims, 'forgotten', Date.now() + 60_000)
  await remembered(gateway, { name: 'older than what was given up', count: 1 })
  t.equal((await readClaims(gateway.blocking)).claims, claims, 'what is older than that is not remembered any more')

  await age(gateway, WEEK)
  await operator.hset(gateway.keys.claims, 'forgotten', Date.now() - WEEK)
  t.match(await sweepClaims(gateway.blocking, policy), { forgottenBefore: null }, 'and no more when it would be over by now')
})

t.test('a burst of claims is not given up as a whole', async t => {
  const gateway = await open(t)
  const policy = { windowMs: WEEK, claimsMemoryBytes: 400 * CLAIM_BYTES }
  await sweepClaims(gateway.blocking, policy)
  for (let n = 0; n < 10; n++) await remembered(gateway, { name: `burst-${n}`, count: 50 })
  const { claims } = await sweepClaims(gateway.blocking, policy)
  t.ok(claims >= 300 && claims <= 400, `${claims} are left`)
  t.match(await gateway.accept(callback({ taskId: 'burst-9-49' })), { kind: 'duplicate' }, 'the latest are there')
  t.match(await gateway.accept(callback({ taskId: 'burst-0-0' })), { kind: 'accepted' }, 'the oldest are not')
})

t.test('without a word claims take a quarter of what Redis has', async t => {
  const gateway = await open(t)
  t.match(await sweepClaims(gateway.blocking, { windowMs: WEEK }), { mostClaims: null })
  await operator.config('SET', 'maxmemory', '64mb')
  t.match(await sweepClaims(gateway.blocking, { windowMs: WEEK }), { mostClaims: 64 * 1024 * 1024 / 4 / CLAIM_BYTES })
})

t.test('when memory is short the oldest claims go before an event that could be replayed, and the latest after it', async t => {
  const gateway = await open(t, ['a'])
  gateway.policy.subscribers = []
  await remembered(gateway, { name: 'old', count: 3_000 })
  await age(gateway, 3 * DAY)
  await remembered(gateway, { name: 'young', count: 100 })
  gateway.policy.subscribers = policyFor(['a']).subscribers
  const failed = await accepted(gateway, { taskId: 'failed' })
  await endDelivery(gateway, 'a', failed, { state: 'failed', reason: 'exhausted' })
  const { usedBytes } = (await (async () => { await operator.config('SET', 'maxmemory', '100gb'); return await readMemory(operator, gateway.keys) })())!
  await operator.config('SET', 'maxmemory', String(Math.floor(usedBytes / (SHORT_ABOVE + 0.05))))
  t.match(await evict(gateway.blocking, { windowMs: WEEK, above: SHORT_ABOVE, roundMs: Infinity }), { claims: 3_000 })
  t.match(await gateway.accept(callback({ taskId: 'young-1' })), { kind: 'duplicate' })

  await operator.config('SET', 'maxmemory', '1')
  t.match(await evict(gateway.blocking, { windowMs: WEEK, above: SHORT_ABOVE, roundMs: Infinity }), { claims: Number, nothingLeft: true })
  await operator.config('SET', 'maxmemory', '0')
  t.equal(await eventsLeft(gateway), 0)
  t.match(await readClaims(gateway.blocking), { claims: 0 })
})

t.test('a full Redis with nothing but claims forgets them at once, by every way', async t => {
  const gateway = await open(t)
  await remembered(gateway, { count: 2_000 })
  await operator.config('SET', 'maxmemory', '1')
  t.match(await sweepClaims(gateway.blocking, { windowMs: WEEK, claimsMemoryBytes: CLAIM_BYTES }), { givenUp: 2_000, claims: 0 })
  await operator.config('SET', 'maxmemory', '0')
  t.match(await gateway.accept(callback({ taskId: 't-0' })), { kind: 'accepted' })
  t.strictSame(await operator.keys(`${gateway.keys.claims}:*`), [])
})

t.test('a claim of an earlier release counts, and is gathered on a full Redis', async t => {
  const gateway = await open(t)
  const { redis, keys } = { ...gateway.blocking, keys: gateway.keys }
  const ids = await Promise.all(Array.from({ length: 120 }, async (_, n) => await accepted(gateway, { taskId: `t-${n}`, n })))
  const open1 = await accepted(gateway, { taskId: 't-0', status: 0, owed: true })
  for (const id of ids) { // as delete-event.lua of 0.1 left a task
    await redis.del(keys.event(id), keys.body(id))
    await redis.zrem(keys.events, id)
    await redis.zrem(keys.ended, id)
  }
  for (let n = 1; n < 120; n++) await redis.pexpire(keys.task(`t-${n}`), WEEK)
  t.strictSame(await gateway.accept(callback({ taskId: 't-5', n: 5 })), { kind: 'duplicate', eventId: ids[5] })

  const round = createClaimsSweeper(gateway.blocking, { policy: () => ({ windowMs: WEEK, claimsMemoryBytes: 64 * 1024 }), report: () => {} })
  await operator.config('SET', 'maxmemory', '1')
  await round()
  await operator.config('SET', 'maxmemory', '0')
  t.strictSame(await operator.keys(`{${keys.prefix}}:task:*`), [keys.task('t-0')], 'of tasks only those with events are left')
  t.equal((await readClaims(gateway.blocking)).claims, 120)
  for (const n of [0, 5, 119]) t.strictSame(await gateway.accept(callback({ taskId: `t-${n}`, n })), { kind: 'duplicate', eventId: ids[n] })
  t.equal((await allEvents(gateway, { taskIds: ['t-0'] }))[0]!.event.id, open1)

  const calls = await callsDuring(operator, round)
  t.equal(calls.of('scan'), 0, 'once')
  await collectClaimsAnew(gateway.blocking)
  t.ok((await callsDuring(operator, round)).of('scan') > 0, 'unless it is asked for')
})

t.test('a task with thousands of contents costs each of its events the same', async t => {
  const gateway = await open(t)
  for (let n = 0; n < 3_000; n += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_, at) => await accepted(gateway, { taskId: 'one', n: n + at })))
  }
  const kept = await accepted(gateway, { taskId: 'one', status: 0 })
  await gateway.blocking.redis.zrem(gateway.keys.ended, kept)
  const calls = await callsDuring(operator, async () => { t.equal(await sweep(gateway.blocking, NOW), 3_000) })
  const [list] = Object.entries(await gateway.blocking.redis.hgetall(gateway.keys.claims)).flatMap(([name, value]) => name.startsWith('b:') ? [value] : [])
  const shards = Number(list!.split(' ').at(-2))
  t.ok(calls.of('hgetall') <= calls.of('evalsha') + shards, `the list of buckets is read, and shards are as they are divided, but not the task: ${calls.of('hgetall')}`)
  t.match(await gateway.accept(callback({ taskId: 'one', n: 1_234 })), { kind: 'duplicate' })
  await accepted(gateway, { taskId: 'one', n: 'new' })
  t.match((await allEvents(gateway))[0]!.event, { revision: 3_001 })
})

t.test('claims that take hardly any memory stay, however full Redis is of what is owed: a duplicate stays a duplicate', async t => {
  const gateway = await open(t)
  const ids = await remembered(gateway, { count: 100 })
  const { usedBytes } = (await (async () => { await operator.config('SET', 'maxmemory', '100gb'); return await readMemory(operator, gateway.keys) })())!
  await operator.config('SET', 'maxmemory', String(Math.floor(usedBytes * 0.99)))
  t.match(await evict(gateway.blocking, { windowMs: WEEK, above: SHORT_ABOVE, roundMs: Infinity }), { claims: 0, nothingLeft: true })
  await operator.config('SET', 'maxmemory', '0')
  t.strictSame(await gateway.accept(callback({ taskId: 't-0' })), { kind: 'duplicate', eventId: ids[0] })
})
