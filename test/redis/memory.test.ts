/**
 * How full Redis is, by its own measure: what is told agrees with when it
 * refuses a write.
 */
import t from '../support/tap.js'
import { keysOf } from '../../src/redis/keys.js'
import { readMemory } from '../../src/redis/memory.js'
import { loadScript } from '../../src/redis/script.js'
import { startRedis } from '../support/redis.js'

const server = await startRedis()
t.teardown(async () => { await server.close() })
const redis = server.client()
const keys = keysOf('relay')

t.test('Redis refuses writes above what is told, and takes them below', async t => {
  await redis.config('SET', 'maxmemory', '100mb')
  const { usedBytes, maxBytes } = (await readMemory(redis, keys))!
  t.equal(maxBytes, 104_857_600)
  await redis.config('SET', 'maxmemory', String(usedBytes - 100_000))
  await t.rejects(redis.set('key', 'value'), /OOM/)
  await redis.config('SET', 'maxmemory', String(usedBytes + 100_000))
  t.equal(await redis.set('key', 'value'), 'OK')
})

t.test('what Redis leaves out when it compares the two is left out: what waits to be written to its file', async t => {
  await redis.config('SET', 'maxmemory', '100mb')
  const { lua } = loadScript(new URL('../../src/redis/memory.lua', import.meta.url))
  const ask = lua + "return { (read_memory()), redis.call('INFO', 'memory') }"
  const replies = await redis.pipeline().set('key', 'x'.repeat(10_000)).eval(ask, 1, keys.events).exec()
  const [usedBytes, info] = replies![1]![1] as [number, string]
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)![1])
  t.ok(field('mem_not_counted_for_evict') > 10_000, 'there is something that does not count')
  const offBytes = Math.abs(usedBytes - (field('used_memory') - field('mem_not_counted_for_evict')))
  t.ok(offBytes < 1_000, `${offBytes} bytes between the two questions`)
})

t.test('nothing is told of a server without a limit', async t => {
  await redis.config('SET', 'maxmemory', '0')
  t.equal(await readMemory(redis, keys), null)
})

t.test('nor of one that forbids INFO', async t => {
  await redis.config('SET', 'maxmemory', '100mb')
  const own = server.client()
  await own.acl('SETUSER', 'default', '-info')
  t.teardown(async () => { await own.acl('SETUSER', 'default', '+info') })
  t.equal(await readMemory(own, keys), null)
})
