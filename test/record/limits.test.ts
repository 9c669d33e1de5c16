/**
 * How many deliveries may begin: never more than the limit in any period, and
 * as soon as it allows; what was sent is all that is remembered.
 */
import fc from 'fast-check'
import t from '../support/tap.js'
import { LIMITS } from '../../src/record/limits.js'
import { setHold } from '../../src/record/holds.js'
import { keysOf } from '../../src/redis/keys.js'
import { runPackedScript, withFunctions } from '../../src/redis/script.js'
import { startRedis } from '../support/redis.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })
const redis = server.client()

/** Asks as a batch does, at a time of the test's choice: takes up to so many. */
const ASK = withFunctions({
  name: 'test-limits',
  lua: `
    local input = cmsgpack.unpack(ARGV[1])
    local limits = limits_of({}, { { prefix = input.prefix, now = input.now } }, redis)
    local took, wait = 0, false
    while took < input.wanted do
      wait = limits.wait('a', input.limits) or false
      if wait then break end
      limits.took('a', input.limits)
      took = took + 1
    end
    limits.save()
    return { cmsgpack.pack({ took, wait, limits.concurrency('a', input.limits) }) }`
}, { limits_of: LIMITS.lua })

interface Asked { took: number, waitMs: number | false, concurrency: number }

let prefixes = 0
/** A subscriber of its own, and what takes deliveries of it. */
function subscriber (): { prefix: string, ask: (now: number, wanted: number, limit: { max: number, per: number } | null) => Promise<Asked> } {
  const prefix = `p${++prefixes}`
  return {
    prefix,
    async ask (now, wanted, limit) {
      const { output } = await runPackedScript(redis, ASK, {
        key: keysOf(prefix).events, input: { prefix: `{${prefix}}:`, now, wanted, limits: { concurrency: 4, ...limit } }
      })
      const [took, waitMs, concurrency] = output as [number, number | false, number]
      return { took, waitMs, concurrency }
    }
  }
}

const NOW = 1_700_000_000_000

t.test('as many as may begin at once, and the next as soon as it may', async t => {
  const { ask } = subscriber()
  const limit = { max: 10, per: 60_000 }
  const first = await ask(NOW, 50, limit)
  t.equal(first.took, 10)
  t.ok(first.waitMs !== false && first.waitMs >= 60_000 && first.waitMs <= 61_200, String(first.waitMs))
  t.equal((await ask(NOW + 59_999, 50, limit)).took, 0)
  t.equal((await ask(NOW + Number(first.waitMs), 50, limit)).took, 10)
})

t.test('a short period is used evenly, so that one burst that comes late does not meet the next', async t => {
  const { ask } = subscriber()
  const limit = { max: 50, per: 1_000 }
  const first = await ask(NOW, 50, limit)
  t.equal(first.took, 5)
  t.ok(first.waitMs !== false && first.waitMs >= 100 && first.waitMs <= 102, String(first.waitMs))
  t.equal((await ask(NOW + 99, 50, limit)).took, 0)
  t.equal((await ask(NOW + Number(first.waitMs), 50, limit)).took, 5)
})

t.test('in no period do more begin than may, and a busy subscriber gets nearly all of them', async t => {
  await fc.assert(fc.asyncProperty(
    fc.record({ max: fc.integer({ min: 1, max: 50 }), per: fc.integer({ min: 10, max: 5_000 }) }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 60 }),
    async (limit, asks) => {
      const { ask } = subscriber()
      const begun: number[] = []
      let now = NOW
      for (const [later, wanted] of asks) {
        now += later
        const { took } = await ask(now, wanted, limit)
        for (let n = 0; n < took; n++) begun.push(now)
      }
      return begun.every(from => begun.filter(at => at >= from && at < from + limit.per).length <= limit.max)
    }), { numRuns: 60 })

  const { ask } = subscriber()
  let total = 0
  for (let ms = 0; ms < 10_000; ms += 5) total += (await ask(NOW + ms, 100, { max: 100, per: 1_000 })).took
  t.ok(total <= 1_000 && total >= 960, `${total} of 1000 within ten periods`)
})

t.test('a changed limit is in force at once, whatever it was', async t => {
  const { ask } = subscriber()
  t.equal((await ask(NOW, 500, { max: 500, per: 86_400_000 })).took, 500)
  t.equal((await ask(NOW + 2_000, 100, { max: 50, per: 11_000 })).took, 50, 'of a day to seconds')
  t.equal((await ask(NOW + 2_100, 100, null)).took, 100, 'to none')
  const other = subscriber()
  t.equal((await other.ask(NOW, 100, { max: 100, per: 60_000 })).took, 100)
  t.equal((await other.ask(NOW + 1, 100, { max: 10, per: 60_000 })).took, 0, 'lowered below what was sent')
})

t.test('a clock that was set back holds nobody for as long', async t => {
  const { ask } = subscriber()
  const limit = { max: 5, per: 11_000 }
  t.equal((await ask(NOW + 3_600_000, 5, limit)).took, 5)
  t.equal((await ask(NOW, 50, limit)).took, 5)
})

t.test('on hold nothing begins; while its breaker is tried, one at a time, and its own limit is nobody else\'s', async t => {
  const { prefix, ask } = subscriber()
  const keys = keysOf(prefix)
  await setHold({ redis, keys }, 'a', 'pause')
  t.match(await ask(NOW, 1, null), { took: 0, waitMs: 0 })
  await redis.del(keys.subscriber('a'))
  await redis.hset(keys.subscriber('a'), 'breaker', 'half-open')
  t.match(await ask(NOW, 9, { max: 36_000, per: 3_600_000 }), { took: 1, concurrency: 1 })
  await redis.hset(keys.subscriber('a'), 'breaker', 'closing', 'breaker:rate', 8)
  t.match(await ask(NOW + 2_000, 9, { max: 36_000, per: 3_600_000 }), { took: 8, concurrency: 4 })
  await redis.hdel(keys.subscriber('a'), 'breaker', 'breaker:rate')
  t.match(await ask(NOW + 2_001, 99, { max: 36_000, per: 3_600_000 }), { took: 99, waitMs: false })
})

t.test('throttled, it waits for as long as it was asked to', async t => {
  const { prefix, ask } = subscriber()
  await redis.hset(keysOf(prefix).subscriber('a'), 'hold:throttle', NOW, 'throttle:until', NOW + 5_000)
  t.match(await ask(NOW + 1_000, 1, null), { took: 0, waitMs: 4_000 })
  t.match(await ask(NOW + 5_000, 1, null), { took: 1 })
})

t.test('what is remembered ends with the period', async t => {
  const { prefix, ask } = subscriber()
  const now = Date.now()
  for (let ms = 0; ms < 20_000; ms += 7) await ask(now + ms, 1, { max: 100, per: 1_000 })
  const key = keysOf(prefix).sent('a')
  t.ok(await redis.hlen(key) <= 52, String(await redis.hlen(key)))
  t.ok(await redis.pttl(key) <= 1_020)
})
