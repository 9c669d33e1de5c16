/**
 * A process among its replicas: it is on the list while it runs, and a
 * difference between configurations is told when it lasts, once.
 */
import t from '../support/tap.js'
import type { Config } from '../../src/config/config.js'
import { joinReplicas, type Replicas, type ReplicaTimes } from '../../src/gateway/replicas.js'
import type { Fact } from '../../src/model/fact.js'
import { readReplicas } from '../../src/record/replicas.js'
import type { RecordStore } from '../../src/record/store.js'
import { keysOf } from '../../src/redis/keys.js'
import { createLogger } from '../../src/telemetry/log.js'
import { configOf } from '../config/config-of.js'
import { failFastClient } from '../support/relay.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { until } from '../support/until.js'

/** Nobody is gone because the machine stood still. */
const QUICK: ReplicaTimes = { beatMs: 20, lifetimeMs: 60_000, graceMs: 300 }

const ONE = await configOf('dedupe: { window: 1d }')
const OTHER = await configOf('dedupe: { window: 2d }')
const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_aHVzaGh1c2hodXNoaHVzaGh1c2hodXNo']
const [BEFORE, ROTATED] = await Promise.all(SECRETS.map(async secret => await configOf(`subscribers: [{ name: one, url: "http://one.internal/", secrets: [${secret}] }]`)))

interface Joined extends Replicas {
  facts: Fact[]
  log: string[]
  store: RecordStore
  /** What it runs from now on. */
  run: (config: Config) => void
  /** Resolves when it has announced itself and looked around so often from now on. */
  beats: (count: number) => Promise<void>
}

/** A process that has joined and is on the list; it leaves with the test. */
async function join (t: Tap, redis: TestRedis, { config, prefix = 'test', times = QUICK }: { config: Config, prefix?: string, times?: ReplicaTimes }): Promise<Joined> {
  const keys = keysOf(prefix)
  // The test itself reads on a connection that gives up nothing when the machine stands still.
  const store = { redis: redis.client(), keys }
  const facts: Fact[] = []
  const log: string[] = []
  let running = config
  let asked = 0
  const replicas = joinReplicas({
    store: { redis: await failFastClient(redis), keys },
    self: { host: 'web-1', pid: 7, role: 'all', version: '1.2.3', startedAt: Date.now() },
    config () {
      asked += 1
      return running
    },
    report: fact => { facts.push(fact) },
    logger: createLogger({ level: 'warn', destination: { write: line => { log.push(line) } } }),
    times
  })
  replicas.start()
  t.teardown(replicas.leave)
  await until('it is on the list', async () => (await readReplicas(store)).some(({ id }) => id === replicas.id))
  return {
    ...replicas,
    facts,
    log,
    store,
    run (changed) { running = changed },
    async beats (count) {
      const goal = asked + count + 1
      await until(`${count} beats`, () => asked >= goal)
    }
  }
}

interface Tap { teardown (end: () => unknown): unknown }

const redis = await startRedis()
t.teardown(async () => { await redis.close() })

const DIFFER = /^replicas run different configurations: 1 of 2 differs/

t.test('replicas that run the same have nothing to tell', async t => {
  const two = [await join(t, redis, { prefix: 'same', config: ONE }), await join(t, redis, { prefix: 'same', config: await configOf('dedupe: { window: 1d }\nlog: { level: debug }') })]
  const lasting = QUICK.graceMs / QUICK.beatMs + 2
  for (const one of two) {
    await one.beats(lasting)
    t.equal(one.trouble(), null)
    t.strictSame(one.facts, [])
  }
})

t.test('one of all is the first, and when it leaves another is', async t => {
  const one = await join(t, redis, { prefix: 'first', config: ONE })
  await until('the only one is', () => one.isFirst())
  const two = [one, await join(t, redis, { prefix: 'first', config: ONE })] as const
  for (const replica of two) await replica.beats(2)
  const [first, second] = two[0].isFirst() ? two : [two[1], two[0]]
  t.strictSame([first.isFirst(), second.isFirst()], [true, false])
  await first.leave()
  await until('the other is', () => second.isFirst())
})

t.test('a difference that lasts is told once on each, and once when it is over', async t => {
  const two = [await join(t, redis, { prefix: 'lasts', config: ONE }), await join(t, redis, { prefix: 'lasts', config: OTHER })] as const
  for (const one of two) {
    await until('it is told', () => one.trouble() !== null)
    t.match(one.trouble(), DIFFER)
    t.notMatch(one.trouble(), /web-1/, 'everybody may read it, so it names no host')
    await one.beats(3)
    t.match(one.facts, [{ fact: 'replicas.differ', of: 2, replicas: [{ host: 'web-1', pid: 7, role: 'all' }] }], 'once, with the one that differs')
  }
  const [older] = (await readReplicas(two[0].store)).sort((one, other) => one.configuredAt - other.configuredAt)
  t.match(two[0].facts, [{ replicas: [{ fingerprint: older!.fingerprint }] }], 'of two it is the one that took its configuration up earlier')

  two[0].run(OTHER)
  two[0].wake()
  for (const one of two) {
    await until('it is over', () => one.trouble() === null)
    await one.beats(3)
    t.match(one.facts.map(({ fact }) => fact), ['replicas.differ', 'replicas.agree'])
  }
})

t.test('a reload that reaches one after the other is no difference', async t => {
  const times = { ...QUICK, graceMs: 60_000 }
  const two = [await join(t, redis, { prefix: 'reload', times, config: ONE }), await join(t, redis, { prefix: 'reload', times, config: ONE })] as const
  const differ = async (): Promise<number> => new Set((await readReplicas(two[0].store)).map(({ fingerprint }) => fingerprint)).size
  two[0].run(OTHER)
  await until('one has it', async () => await differ() === 2)
  await two[1].beats(3)
  t.equal(two[1].trouble(), null, 'not yet')
  two[1].run(OTHER)
  await until('the other has it too', async () => await differ() === 1)
  for (const one of two) {
    await one.beats(3)
    t.strictSame(one.facts, [])
  }
})

t.test('a rotated secret that one has not taken up is a difference, and is nowhere in Redis', async t => {
  const two = [await join(t, redis, { prefix: 'secret', config: BEFORE! }), await join(t, redis, { prefix: 'secret', config: BEFORE! })] as const
  two[0].run(ROTATED!)
  await until('it is told', () => two.every(one => one.trouble() !== null))
  const inRedis: string[] = []
  for (const { id } of await readReplicas(two[0].store)) inRedis.push(JSON.stringify(await two[0].store.redis.hgetall(two[0].store.keys.replica(id))))
  for (const secret of SECRETS) {
    const key = secret.replace('whsec_', '')
    for (const form of [secret, key, Buffer.from(key, 'base64').toString('hex')]) t.notOk(inRedis.join().includes(form))
  }
})

t.test('woken, it announces a new configuration at once', async t => {
  const one = await join(t, redis, { prefix: 'woken', config: ONE, times: { ...QUICK, beatMs: 3_600_000 } })
  const [before] = await readReplicas(one.store)
  one.run(OTHER)
  one.wake()
  await until('it is announced', async () => (await readReplicas(one.store))[0]!.fingerprint !== before!.fingerprint)
  t.ok((await readReplicas(one.store))[0]!.configuredAt >= before!.configuredAt)
})

t.test('one that was silent for too long is back with its next sign of life', async t => {
  const one = await join(t, redis, { prefix: 'silent', config: ONE })
  const [before] = await readReplicas(one.store)
  await one.store.redis.del(one.store.keys.replica(one.id)) // as when its time is over
  await until('it is back', async () => (await readReplicas(one.store)).length === 1)
  t.strictSame(await readReplicas(one.store), [before], 'as it was')
})

t.test('a Redis that has lost everything learns all of it again, and no difference comes of it', async t => {
  const two = [await join(t, redis, { prefix: 'lost', config: ONE }), await join(t, redis, { prefix: 'lost', config: ONE })] as const
  const [before] = await readReplicas(two[0].store)
  await two[0].store.redis.flushall()
  await until('both are back', async () => {
    const now = await readReplicas(two[0].store)
    return now.length === 2 && now.every(({ fingerprint }) => fingerprint !== before!.fingerprint)
  })
  const now = await readReplicas(two[0].store)
  t.equal(now[0]!.fingerprint, now[1]!.fingerprint, 'with a salt of its own, and equal all the same')
  t.equal(now[0]!.configuredAt, before!.configuredAt, 'what they run has not changed')
})

t.test('while Redis is away it says so once, and goes on by itself', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.close() })
  const one = await join(t, server, { config: ONE })
  await server.kill()
  await until('it is told', () => one.log.length > 0)
  await one.beats(5)
  await server.restart()
  await until('it is on the list again', async () => (await readReplicas(one.store).catch(() => [])).length === 1)
  t.equal(one.log.length, 1)
  t.match(one.log[0], /could not announce itself/)
})

t.test('one that leaves is off the list, also when Redis is away', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.close() })
  const [one, other] = [await join(t, server, { config: ONE }), await join(t, server, { config: ONE })]
  await one.leave()
  t.match(await readReplicas(one.store), [{ id: other.id }])
  await server.kill()
  await t.resolves(other.leave())
})
