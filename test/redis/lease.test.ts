/** A lease has one holder at a time, ends by itself, and is taken on a full Redis. */
import t from '../support/tap.js'
import { createLease, type Lease } from '../../src/redis/lease.js'
import { callsDuring } from '../record/calls.js'
import { startRedis } from '../support/redis.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const redis = server.client()

/** Nothing ends because the machine stood still. */
const LONG_MS = 600_000

let keys = 0
/** Two that may hold one lease; the first one for as long as said. */
function two (ms = LONG_MS): [key: string, one: Lease, other: Lease] {
  const key = `{relay}:lease-${++keys}`
  return [key, createLease(redis, key, ms), createLease(redis, key, LONG_MS)]
}

t.test('one of two holds it, and the other when it is given back', async t => {
  const [, one, other] = two()
  t.strictSame([await one.hold(), await other.hold(), await one.hold()], [true, false, true])
  await other.release()
  t.equal(await other.hold(), false, 'only the holder gives it back')
  await one.release()
  t.strictSame([await other.hold(), await one.hold()], [true, false])
})

t.test('it ends by itself, and whoever held it holds it no more', async t => {
  const [, one, other] = two(50)
  t.equal(await one.hold(), true)
  await until('the other has it', async () => await other.hold())
  await until('the first one knows', async () => !await one.hold())
})

t.test('to ask again soon costs Redis nothing', async t => {
  const [, one] = two()
  await one.hold()
  const calls = await callsDuring(redis, async () => { for (let n = 0; n < 20; n++) await one.hold() })
  t.equal(calls.of('evalsha', 'eval'), 0)
})

t.test('it is taken, renewed and given back on a full Redis', async t => {
  const [key, one, other] = two()
  await redis.config('SET', 'maxmemory', '1')
  t.teardown(async () => { await redis.config('SET', 'maxmemory', '0') })
  t.equal(await one.hold(), true)
  t.ok(await redis.pttl(key) > 0)
  await one.release()
  t.equal(await other.hold(), true)
})
