/**
 * What was refused is kept as it came, for a while, and within bounds.
 */
import t, { type Test } from '../support/tap.js'
import type { RefusedCallback } from '../../src/accept/refused.js'
import { createQuarantineStore, QUARANTINE_LIMITS, type QuarantineStore } from '../../src/quarantine/store.js'
import { keysOf, type Keys } from '../../src/redis/keys.js'
import { startRedis, type TestRedis } from '../support/redis.js'

const DAY_MS = 86_400_000
const SMALL = { unreadable: { entries: 3, bytes: 1_000 }, misdirected: { entries: 3, bytes: 1_000 }, denied: { entries: 2, bytes: 100 } }

let server: TestRedis
t.before(async () => { server = await startRedis() })
t.teardown(() => server.close())

let prefixes = 0
function createStore (options: { retentionMs?: number } = {}): { store: QuarantineStore, keys: Keys } {
  const keys = keysOf(`q${++prefixes}`)
  return { keys, store: createQuarantineStore({ redis: server.client(), keys, retentionMs: () => options.retentionMs ?? DAY_MS, limits: SMALL }) }
}

function refused (more: Partial<RefusedCallback> = {}): RefusedCallback {
  return {
    budget: 'unreadable',
    reason: 'is missing',
    field: 'taskId',
    source: '54.212.95.175',
    receivedAt: Date.now(),
    contentType: 'application/json',
    body: Buffer.from('{}'),
    ...more
  }
}

/** What the lists of a budget hold, and that they agree with each other and with the entries. */
async function idsIn (t: Test, keys: Keys, budget: RefusedCallback['budget']): Promise<string[]> {
  const redis = server.client()
  const ids = await redis.zrange(keys.quarantine(budget), '0', '-1')
  const { total, ...sizes } = await redis.hgetall(keys.quarantineSizes(budget))
  t.strictSame(Object.keys(sizes).sort(), [...ids].sort(), 'sizes and ids agree')
  t.equal(Number(total), Object.values(sizes).reduce((sum, size) => sum + Number(size), 0), 'the total is their sum')
  for (const id of ids) t.equal(await redis.exists(keys.quarantined(id)), 1, 'and each is there')
  const entries = await redis.keys(keys.quarantined('*'))
  t.ok(entries.length >= ids.length)
  return ids
}

t.test('a refused callback is kept byte for byte', async t => {
  const { store, keys } = createStore()
  const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const id = await store.store(refused({ receivedAt: 1_700_000_000_000 + DAY_MS * 1e4, body, field: null, contentType: 'text/é' }))
  t.match(id, /^qtn_[0-9A-HJKMNP-TV-Z]{26}$/)
  const entry = await server.client().hgetallBuffer(keys.quarantined(id!))
  t.strictSame(entry.body, body)
  t.match(Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'body').map(([name, value]) => [name, value.toString()])), {
    budget: 'unreadable',
    reason: 'is missing',
    field: '',
    source: '54.212.95.175',
    contentType: 'text/é',
    size: '256',
    receivedAt: String(1_700_000_000_000 + DAY_MS * 1e4)
  })
})

t.test('the oldest go first when there are too many', async t => {
  const { store, keys } = createStore()
  const ids: Array<string | null> = []
  const now = Date.now()
  for (let i = 0; i < 5; i++) ids.push(await store.store(refused({ receivedAt: now + i })))
  t.strictSame(await idsIn(t, keys, 'unreadable'), ids.slice(2))
  t.equal((await server.client().keys(keys.quarantined('*'))).length, 3, 'nothing of them is left')
})

t.test('the oldest go first when they are too large', async t => {
  const { store, keys } = createStore()
  const now = Date.now()
  const big = Buffer.alloc(450)
  await store.store(refused({ receivedAt: now, body: big }))
  const second = await store.store(refused({ receivedAt: now + 1, body: big }))
  const third = await store.store(refused({ receivedAt: now + 2, body: Buffer.alloc(200) }))
  t.strictSame(await idsIn(t, keys, 'unreadable'), [second, third])
  const whole = await store.store(refused({ receivedAt: now + 3, body: Buffer.alloc(1_000) }))
  t.strictSame(await idsIn(t, keys, 'unreadable'), [whole])
})

t.test('what is larger than the whole budget is not kept, and pushes nothing out', async t => {
  const { store, keys } = createStore()
  const id = await store.store(refused())
  t.equal(await store.store(refused({ body: Buffer.alloc(1_001) })), null)
  t.strictSame(await idsIn(t, keys, 'unreadable'), [id])
})

t.test('the budgets do not touch one another', async t => {
  const { store, keys } = createStore()
  const genuine = await store.store(refused())
  for (let i = 0; i < 10; i++) await store.store(refused({ budget: 'denied' }))
  t.strictSame(await idsIn(t, keys, 'unreadable'), [genuine])
  t.equal((await idsIn(t, keys, 'denied')).length, 2)
})

t.test('what is older than the retention goes, and everything expires by itself', async t => {
  const { store, keys } = createStore({ retentionMs: 60_000 })
  const redis = server.client()
  const now = Date.now()
  await store.store(refused({ receivedAt: now }))
  const id = await store.store(refused({ receivedAt: now + 60_000 }))
  t.strictSame(await idsIn(t, keys, 'unreadable'), [id])
  for (const key of await redis.keys(keys.quarantined('').replace('quarantined:', 'quarantin*'))) {
    const ttlMs = await redis.pttl(key)
    t.ok(ttlMs > 0 && ttlMs <= 60_000, key)
  }
})

t.test('many at one time leave the lists in agreement', async t => {
  const { store, keys } = createStore()
  await Promise.all(Array.from({ length: 50 }, async (_, i) => await store.store(refused({ body: Buffer.alloc(i * 10) }))))
  t.ok((await idsIn(t, keys, 'unreadable')).length <= 3)
})

t.test('Redis being away is said, not swallowed', async t => {
  const away = await startRedis()
  const redis = away.client({ maxRetriesPerRequest: 1, enableOfflineQueue: false })
  await away.kill()
  t.teardown(() => away.close())
  const store = createQuarantineStore({ redis, keys: keysOf('q'), retentionMs: () => DAY_MS })
  await t.rejects(store.store(refused()))
})

t.test('the default budgets are bounded', async t => {
  for (const { entries, bytes } of Object.values(QUARANTINE_LIMITS)) t.ok(entries <= 1_000 && bytes <= 32 * 1024 * 1024)
})
