/**
 * Accepting on a real Redis that goes away in every way it can: each callback
 * is answered meanwhile, the first few of an outage wait and no others, and
 * what was spooled becomes an event like any other, once.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../../support/tap.js'
import type { Acceptance } from '../../../src/accept/arrival.js'
import { openSpooling, type Spooling, type SpoolingOptions } from '../../../src/accept/spool/spooling.js'
import type { Fact } from '../../../src/model/fact.js'
import { readEvent } from '../../../src/record/read-event.js'
import { waitUntilReady } from '../../../src/redis/connect.js'
import { probeWrites } from '../../../src/redis/probe.js'
import { startRedis, type TestRedis } from '../../support/redis.js'
import { accepted, allEvents, callback, openGateway, policyFor, type Gateway } from '../../support/relay.js'
import { folder } from './folder.js'
import { until } from '../../support/until.js'

/** Longer than a machine stands still: only a Redis that hangs takes so long, milliseconds. */
const LONG_MS = 5_000

interface Scene {
  server: TestRedis
  gateway: Gateway
  spooling: Spooling
  dir: string
  facts: Fact[]
  /** How many callbacks Redis was asked to take. */
  asked: () => number
}

/** Redis is given {@link LONG_MS} to answer, unless a test says otherwise. */
async function setScene (t: Test, more: Partial<SpoolingOptions> = {}): Promise<Scene> {
  const server = await startRedis()
  t.teardown(async () => { await server.close() })
  const failFast = server.client({ enableOfflineQueue: false, maxRetriesPerRequest: 1 })
  await waitUntilReady(failFast, 30_000)
  const gateway = await openGateway(t, server, { prefix: 'relay', policy: policyFor(['a', 'b']), failFast })
  const dir = folder(t)
  let asked = 0
  const accept: Gateway['accept'] = async arrival => {
    asked += 1
    return await gateway.accept(arrival)
  }
  const spooling = await open(t, gateway, { dir, accept, ...more })
  return { server, gateway, spooling, dir, facts: gateway.facts, asked: () => asked }
}

async function open (t: Test, gateway: Gateway, more: Partial<SpoolingOptions> & { dir: string }): Promise<Spooling> {
  const spooling = await openSpooling({
    accept: gateway.accept,
    redis: gateway.store.redis,
    probe: async () => { await probeWrites(gateway.store.redis, gateway.keys) },
    maxBytes: 64 * 1024 * 1024,
    ignoreFields: () => [],
    answerWithinMs: LONG_MS,
    report: fact => { gateway.facts.push(fact) },
    ...more
  })
  t.teardown(async () => { await spooling.close() })
  return spooling
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
const named = (facts: Fact[], name: Fact['fact']): Fact[] => facts.filter(({ fact }) => fact === name)
const kindsOf = (answers: Acceptance[]): string[] => [...new Set(answers.map(({ kind }) => kind))]

/** Ways in which Redis is away, and comes back. */
const OUTAGES: ReadonlyArray<[how: string, begin: (scene: Scene) => unknown, end: (scene: Scene) => unknown]> = [
  ['killed', ({ server }) => server.kill(), ({ server }) => server.restart()],
  ['frozen', ({ server }) => server.process.kill('SIGSTOP'), ({ server }) => server.process.kill('SIGCONT')],
  ['read-only', ({ gateway }) => gateway.blocking.redis.call('REPLICAOF', '127.0.0.1', '1'), ({ gateway }) => gateway.blocking.redis.call('REPLICAOF', 'NO', 'ONE')],
  ['out of memory', ({ gateway }) => gateway.blocking.redis.config('SET', 'maxmemory', '1'), ({ gateway }) => gateway.blocking.redis.config('SET', 'maxmemory', '0')],
  ['without the replicas it needs', ({ gateway }) => gateway.blocking.redis.config('SET', 'min-replicas-to-write', '1'), ({ gateway }) => gateway.blocking.redis.config('SET', 'min-replicas-to-write', '0')]
]
for (const [how, begin, end] of OUTAGES) {
  t.test(`Redis ${how}: every callback is spooled meanwhile, and accepted once when it is back`, async t => {
    const scene = await setScene(t)
    const { gateway, facts } = scene
    await accepted(gateway, { taskId: 'before' })
    await begin(scene)
    const receivedAt = Date.now() - 60_000
    const first = await Promise.all(range(0, 200).map(async n => await scene.spooling.accept(callback({ taskId: `t${n}` }, { receivedAt }))))
    t.strictSame(kindsOf(first), ['spooled'])
    const later: Acceptance[] = []
    const askedByThen = scene.asked()
    for (const n of range(200, 240)) later.push(await scene.spooling.accept(callback({ taskId: `t${n}` }, { receivedAt })))
    t.strictSame(kindsOf(later), ['spooled'])
    t.equal(scene.asked(), askedByThen, 'the next ones wait for the disk alone')
    t.match(scene.spooling.status(), { callbacks: 240, isSpooling: true, oldestAt: receivedAt, problem: null })

    await end(scene)
    await until('it is drained', () => named(facts, 'spool.drained').length > 0)
    const rows = await allEvents(gateway)
    t.equal(rows.length, 241)
    t.ok(rows.every(({ event, deliveries }) => deliveries.length === 2 && (event.taskId === 'before' || event.receivedAt === receivedAt)))
    t.match(await scene.spooling.accept(callback({ taskId: 'after' })), { kind: 'accepted' })
    t.match(scene.spooling.status(), { callbacks: 0, bytes: 0, isSpooling: false, oldestAt: null })
    t.equal(facts.filter(({ fact }) => fact.startsWith('spool.')).length, 3, 'it is told in three lines: began, ended, drained')
  })
}

t.test('whatever became of those that were on their way: each is one event, and the flag says how it came', async t => {
  const scene = await setScene(t, { answerWithinMs: undefined })
  scene.server.process.kill('SIGSTOP')
  const first = await scene.spooling.accept(callback({ taskId: 'on its way' }))
  const second = await scene.spooling.accept(callback({ taskId: 'straight to the disk' }))
  t.strictSame(kindsOf([first, second]), ['spooled'])
  t.match(named(scene.facts, 'spool.began'), [{ reason: 'no answer within 1000 ms' }], 'half a second is left for the disk')
  t.equal(scene.asked(), 1)
  scene.server.process.kill('SIGCONT')
  await until('it is drained', () => named(scene.facts, 'spool.drained').length > 0)
  const rows = await allEvents(scene.gateway)
  t.strictSame(rows.map(({ event }) => event.taskId).sort(), ['on its way', 'straight to the disk'])
  t.strictSame(rows.find(({ event }) => event.taskId === 'straight to the disk')!.event.flags, ['spooled'])
})

t.test('a duplicate in the spool is a duplicate', async t => {
  const scene = await setScene(t)
  const known = await accepted(scene.gateway, { taskId: 'known' })
  await scene.server.kill()
  for (const taskId of ['known', 'new', 'new', 'new']) t.match(await scene.spooling.accept(callback({ taskId })), { kind: 'spooled' })
  await scene.server.restart()
  await until('it is drained', () => named(scene.facts, 'spool.drained').length > 0)
  t.strictSame((await allEvents(scene.gateway)).map(({ event }) => [event.taskId, event.duplicates]), [['new', 2], ['known', 1]])
  t.equal((await readEvent(scene.gateway.store, known))!.event.flags.length, 0)
})

t.test('a spooled status 0 that its final one overtook is delivered, not late', async t => {
  const { gateway, server, spooling, dir } = await setScene(t)
  await server.kill()
  t.match(await spooling.accept(callback({ taskId: 't', status: 0 })), { kind: 'spooled' })
  await spooling.close()
  await server.restart()
  await until('Redis answers', async () => await gateway.store.redis.ping().then(() => true, () => false))
  await accepted(gateway, { taskId: 't', status: 1 })

  const next = await open(t, gateway, { dir })
  await until('it is drained', () => next.status().callbacks === 0)
  await until('both are events', async () => (await allEvents(gateway)).length === 2)
  const rows = (await allEvents(gateway)).map(({ event, deliveries }) => [event.status, event.flags, deliveries.map(({ state }) => state)])
  t.strictSame(rows, [[0, ['spooled'], ['queued', 'queued']], [1, [], ['queued', 'queued']]])
})

t.test('what could never be accepted is refused, and not kept', async t => {
  const scene = await setScene(t)
  await scene.server.kill()
  t.match(await scene.spooling.accept(callback({ taskId: 't' })), { kind: 'spooled' })
  t.match(await scene.spooling.accept(callback({ taskId: '' })), { kind: 'unreadable', field: 'taskId' })
  t.match(scene.spooling.status(), { callbacks: 1 })
})

t.test('a full spool refuses at once, while Redis is away and only then', async t => {
  const scene = await setScene(t, { maxBytes: 100_000 })
  await scene.server.kill()
  const answers: Acceptance[] = []
  for (const n of range(0, 20)) answers.push(await scene.spooling.accept(callback({ taskId: `t${n}`, filler: 'x'.repeat(10_000) })))
  t.strictSame(kindsOf(answers), ['spooled', 'unavailable'])
  t.equal(scene.asked(), 1, 'nobody waits for Redis but the first')
  t.match(scene.spooling.status(), { problem: 'it is full' })
  t.equal(named(scene.facts, 'spool.full').length, 1)
  await scene.server.restart()
  await until('it is drained', () => named(scene.facts, 'spool.drained').length > 0)
  t.match(await scene.spooling.accept(callback({ taskId: 'after' })), { kind: 'accepted' })
  t.equal((await allEvents(scene.gateway)).length, 1 + answers.filter(({ kind }) => kind === 'spooled').length)
})

t.test('a folder that takes nothing is as if there were no spool; nobody waits for Redis but the first', async t => {
  const place = join(folder(t), 'file')
  writeFileSync(place, '')
  const scene = await setScene(t, { dir: join(place, 'spool') })
  t.match(await scene.spooling.accept(callback({ taskId: 'before' })), { kind: 'accepted' })
  scene.server.process.kill('SIGSTOP')
  t.match(await scene.spooling.accept(callback({ taskId: 't' })), { kind: 'unavailable', reason: /the spool/ })
  const asked = scene.asked()
  t.match(await scene.spooling.accept(callback({ taskId: 't' })), { kind: 'unavailable' })
  t.equal(scene.asked(), asked)
  t.match(await scene.spooling.tryDisk(), { problem: /^ENOTDIR/ })
  scene.server.process.kill('SIGCONT')
  await until('it is taken', async () => (await scene.spooling.accept(callback({ taskId: 't' }))).kind !== 'unavailable')
})

t.test('one callback that Redis will not take keeps nobody else from Redis, and is not lost', async t => {
  const scene = await setScene(t)
  const { redis, keys } = scene.gateway.blocking
  await redis.set(keys.task('poison'), 'not what belongs here')
  t.match(await scene.spooling.accept(callback({ taskId: 'poison' })), { kind: 'spooled' })
  await until('others are accepted', async () => (await scene.spooling.accept(callback({ taskId: 'another' }))).kind !== 'spooled')
  for (const n of range(0, 20)) t.match(await scene.spooling.accept(callback({ taskId: `t${n}` })), { kind: 'accepted' })
  t.match(scene.spooling.status(), { isSpooling: false })
  t.ok(scene.spooling.status().callbacks >= 1)
  await redis.del(keys.task('poison'))
  await until('it is taken when it can be', async () => (await allEvents(scene.gateway)).some(({ event }) => event.taskId === 'poison'))
})

t.test('closed while Redis is away, it leaves what it has to the next, which drains it at once', async t => {
  const scene = await setScene(t)
  await scene.server.kill()
  for (const n of range(0, 10)) await scene.spooling.accept(callback({ taskId: `t${n}` }))
  await scene.spooling.close()
  t.match(named(scene.facts, 'spool.left'), [{ callbacks: 10 }])
  t.match(await scene.spooling.accept(callback({ taskId: 'late' })), { kind: 'unavailable' })

  await scene.server.restart()
  await until('Redis answers', async () => await scene.gateway.store.redis.ping().then(() => true, () => false))
  const next = await open(t, scene.gateway, { dir: scene.dir })
  t.match(named(scene.facts, 'spool.found'), [{ callbacks: 10 }])
  await until('it is drained', () => next.status().callbacks === 0)
  await until('all are events', async () => (await allEvents(scene.gateway)).length === 10)
  await next.close()
  t.strictSame(readdirSync(scene.dir), ['reserve'], 'and leaves nothing')
})
