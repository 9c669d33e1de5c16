/**
 * Redis Cluster, with two real primaries.
 */
import { createServer } from 'node:net'
import type { Cluster, Redis } from 'ioredis'
import t from '../support/tap.js'
import { startRedis } from '../support/redis.js'
import { createAccept } from '../../src/accept/accept.js'
import { CLAIM_BYTES } from '../../src/model/dedupe.js'
import { createQueues } from '../../src/queue/bullmq/queues.js'
import { createClaimsSweeper, sweepClaims } from '../../src/record/claims.js'
import { sweep } from '../../src/record/sweep.js'
import { checkRedis } from '../../src/redis/check.js'
import { claimDataVersion } from '../../src/redis/data-version.js'
import { keysOf } from '../../src/redis/keys.js'
import { Latch } from '../../src/redis/latch.js'
import { readMemory } from '../../src/redis/memory.js'
import { readClaimsLines } from '../../src/transfer/read-record.js'
import { waitUntilReady } from '../../src/redis/connect.js'
import { connected } from './fixtures/connected.js'
import { freePort } from '../support/free-port.js'
import { callback, policyFor } from '../support/relay.js'
import { until } from '../support/until.js'

interface Node { port: number, client: Redis, kill: () => Promise<void> }

async function startNode (): Promise<Node> {
  const [port, busPort] = [await freePort(), await freePort()]
  const redis = await startRedis(['--port', String(port), '--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--maxmemory', '256mb'])
  t.teardown(async () => { await redis.close() })
  await redis.client().cluster('ADDSLOTS', 0).catch(() => {})
  await redis.client().cluster('DELSLOTS', 0)
  return { port, client: redis.client(), kill: redis.kill }
}

const [left, right] = [await startNode(), await startNode()]
await left.client.call('CLUSTER', 'ADDSLOTSRANGE', 0, 8_000)
await right.client.call('CLUSTER', 'ADDSLOTSRANGE', 8_001, 16_383)
const rightBus = Number((await right.client.config('GET', 'cluster-port') as string[])[1])
await left.client.call('CLUSTER', 'MEET', '127.0.0.1', right.port, rightBus)
const agreed = await until(async () => {
  const infos = await Promise.all([left, right].map(async ({ client }) => await client.cluster('INFO') as string))
  return infos.every(info => info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384'))
})

const target = { kind: 'cluster', nodes: [`127.0.0.1:${left.port}`] } as const

t.test('keys of every slot are reached from one node\'s address', async t => {
  t.equal(agreed, true)
  const { failFast, blocking, states } = connected(t, target)
  await Promise.all([waitUntilReady(failFast, 5_000), waitUntilReady(blocking, 5_000)])
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await failFast.set(key, key)
    t.equal(await blocking.get(key), key)
  }
  t.strictSame(states.toSorted(), ['blocking ready', 'fail-fast ready'])
  await claimDataVersion(failFast, keysOf('relay'))
})

t.test('behind a latch no node hears of us but by what checks them; once it is lifted, all are reached', async t => {
  const latch = new Latch()
  const { failFast, blocking, checking } = connected(t, target, { latch })
  const waiting = blocking.set('a', '1')
  const first = checking()
  await waitUntilReady(first, 5_000)
  t.strictSame(await checkRedis(first), { warnings: [] })
  await t.rejects(failFast.set('b', '2'))
  const isOpen = (await left.client.client('LIST') as string).includes('name=fotor-relay-blocking')
  t.notOk(isOpen)
  latch.lift()
  t.equal(await waiting, 'OK')
  await waitUntilReady(failFast, 5_000)
})

t.test('every primary is checked', async t => {
  const { failFast } = connected(t, target)
  await waitUntilReady(failFast, 5_000)
  t.strictSame(await checkRedis(failFast), { warnings: [] })
  await right.client.config('SET', 'maxmemory-policy', 'allkeys-lfu')
  await t.rejects(checkRedis(failFast), { code: 'REDIS_UNFIT', message: new RegExp(`127.0.0.1:${right.port} may drop data`) })
  await right.client.config('SET', 'maxmemory-policy', 'noeviction')
})

t.test('of all primaries the memory of the one counts that has our keys', async t => {
  const { failFast } = connected(t, target)
  await waitUntilReady(failFast, 5_000)
  const limits = new Map([[left, 200_000_000], [right, 300_000_000]])
  for (const [{ client }, bytes] of limits) await client.config('SET', 'maxmemory', String(bytes))
  for (const prefix of ['a', 'b', 'c', 'd']) {
    const keys = keysOf(prefix)
    const slot = await left.client.cluster('KEYSLOT', keys.events)
    t.match(await readMemory(failFast, keys), { usedBytes: Number, maxBytes: limits.get(slot <= 8_000 ? left : right) }, `prefix ${prefix}`)
  }
})

t.test('what is remembered of deleted events is found, exported and given up on a cluster', async t => {
  const { failFast, blocking } = connected(t, target)
  await Promise.all([waitUntilReady(failFast, 5_000), waitUntilReady(blocking, 5_000)])
  for (const prefix of ['a', 'b', 'c', 'd']) {
    const keys = keysOf(prefix)
    const store = { redis: blocking, keys }
    const queues = createQueues({ redis: blocking, keys, report () {} })
    t.teardown(async () => { await queues.close() })
    const accept = createAccept({ store: { redis: failFast, keys }, queues, policy: () => policyFor([], { windowMs: 600_000 }), report () {} })
    const ids = await Promise.all(Array.from({ length: 200 }, async (_, n) => await accept(callback({ taskId: `t-${n}` }))))
    t.equal(await sweep(store, { eventsMs: 0, failedMs: 0, windowMs: 600_000 }), 200)
    t.strictSame(await accept(callback({ taskId: 't-7' })), { ...ids[7], kind: 'duplicate' })
    for await (const lines of readClaimsLines(store)) t.equal(lines.flatMap(({ entries }) => entries).length, 200)
    await createClaimsSweeper(store, { policy: () => ({ windowMs: 600_000 }), report () {} })()
    t.equal(await blocking.hget(keys.claims, 'gathered'), 'all')
    t.match(await sweepClaims(store, { windowMs: 600_000, claimsMemoryBytes: CLAIM_BYTES }), { givenUp: 200, claims: 0 })
  }
})

t.test('a cluster that is away is told by its nodes, and not waited for when it is left', async t => {
  const nobody = connected(t, { kind: 'cluster', nodes: ['127.0.0.1:1'] })
  await t.rejects(nobody.failFast.get('a'))
  await t.rejects(waitUntilReady(nobody.blocking, 200), { code: 'REDIS_UNAVAILABLE', message: /cluster \(127\.0\.0\.1:1\).*start it/ })
  const waiting = t.rejects(nobody.blocking.get('a'))
  await nobody.close()
  await waiting
})

const MANY = 30
// The last: it takes the nodes away.
t.test('a cluster whose nodes are all away is asked for now and then, and not as fast as can be', async t => {
  const ear = connected(t, target).pubSub() as Cluster
  const copy = ear.duplicate()
  copy.on('error', () => {})
  t.teardown(() => { copy.disconnect() })
  for (const client of [ear, copy]) {
    await waitUntilReady(client, 5_000)
    await client.subscribe('news')
  }
  await Promise.all([left.kill(), right.kill()])
  let dialled = 0
  const enough = new Promise<void>(resolve => {
    for (const { port } of [left, right]) {
      const nobody = createServer(socket => {
        socket.destroy()
        if (++dialled === MANY) resolve()
      }).listen(port, '127.0.0.1')
      t.teardown(() => { nobody.close() })
    }
  })
  const startedAt = performance.now()
  await enough
  const tookMs = performance.now() - startedAt
  t.ok(tookMs > 1_000, `${MANY} connections in ${Math.round(tookMs)} ms`)
})
