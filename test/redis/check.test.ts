/**
 * Start-up checks, against servers that are really set so; where no such
 * server can be run, against its answer to INFO.
 */
import t from '../support/tap.js'
import { startRedis } from '../support/redis.js'
import { checkRedis } from '../../src/redis/check.js'
import type { RedisClient } from '../../src/redis/script.js'
import { freePort } from '../support/free-port.js'

/** Command line, and what it leads to: a refusal's words, or those of the warnings. */
const SERVERS: ReadonlyArray<[says: string, args: string[], refused: RegExp | null, warned: RegExp[]]> = [
  ['a durable one that never evicts is fit', [], null, []],
  ['one whose memory has no limit is said', ['--maxmemory', '0'], null, [/has no maxmemory.*set maxmemory to half/]],
  ['an evicting policy is refused', ['--maxmemory-policy', 'allkeys-lru'], /set maxmemory-policy to noeviction \(it is allkeys-lru\)/, []],
  ['so is one that evicts only what expires', ['--maxmemory-policy', 'volatile-ttl'], /it is volatile-ttl/, []],
  ['missing persistence is said', ['--appendonly', 'no'], null, [/no append-only file.*set appendonly yes/]],
  ['a replica is refused', ['--replicaof', '127.0.0.1 1', '--replica-serve-stale-data', 'yes'], /is a replica.*address of the primary/, []],
  ['a node of a cluster, used alone, is said', ['--cluster-enabled', 'yes', '--port', String(await freePort()), '--cluster-port', String(await freePort())], null, [/redis\.cluster/]]
]
for (const [says, args, refused, warned] of SERVERS) {
  t.test(says, async t => {
    const redis = await startRedis(['--maxmemory', '256mb', ...args])
    t.teardown(async () => { await redis.close() })
    const check = checkRedis(redis.client())
    if (refused !== null) {
      await t.rejects(check, { code: 'REDIS_UNFIT', message: refused })
    } else {
      const { warnings } = await check
      t.equal(warnings.length, warned.length)
      t.match(warnings, warned)
    }
  })
}

const SOUND = 'redis_version:7.1.0\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\nmaxmemory:1\r\n'

/** INFO of servers that cannot be run here, and the error's code and words, or the words of a warning. */
const ANSWERS: ReadonlyArray<[says: string, info: string, code: string | null, words: RegExp, waitReplicas?: number]> = [
  ['an old version is refused', 'redis_version:6.0.16\r\n', 'REDIS_UNFIT', /6\.0\.16: use 6\.2 or newer/],
  ['a server that loads is not ready', 'redis_version:7.0.0\r\nloading:1\r\n', 'REDIS_UNAVAILABLE', /loading/],
  ['what a managed service leaves out is said', 'redis_version:7.1.0\r\naof_enabled:1\r\nmaxmemory:1\r\n', null, /does not report maxmemory_policy/],
  ['a failing disk is said', 'redis_version:7.1.0\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\naof_last_write_status:err\r\nmaxmemory:1\r\n', null, /disk is not full/],
  ['replicas that nobody waits for are said', `${SOUND}connected_slaves:1\r\n`, null, /has replicas.*can lose.*waitReplicas to 1, and min-replicas-to-write to 1/],
  ['so they are when the server refuses alone', `${SOUND}connected_slaves:1\r\nmin_slaves_good_slaves:1\r\n`, null, /can lose.*waitReplicas to 1$/],
  ['fewer replicas than are waited for are said', `${SOUND}connected_slaves:1\r\n`, null, /has 1 of the 2 replicas.*go to the spool/, 2]
]
for (const [says, info, code, words, waitReplicas = 0] of ANSWERS) {
  t.test(says, async t => {
    const check = checkRedis({ info: async () => info } as unknown as RedisClient, { waitReplicas })
    if (code !== null) await t.rejects(check, { code, message: words })
    else t.match((await check).warnings, [words])
  })
}

t.test('a server without a limit of memory is said: the kernel would end it', async t => {
  const redis = await startRedis()
  t.teardown(async () => { await redis.close() })
  t.match((await checkRedis(redis.client())).warnings, [/^Redis has no maxmemory/])
})

t.test('a server that does not tell its limit is said', async t => {
  const info = 'redis_version:7.1.0\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n'
  t.match((await checkRedis({ info: async () => info } as unknown as RedisClient)).warnings, [/^Redis does not report maxmemory: finished events cannot be evicted/])
})

t.test('a server that forbids INFO is said', async t => {
  const redis = await startRedis()
  t.teardown(async () => { await redis.close() })
  const client = redis.client()
  await client.acl('SETUSER', 'default', '-info')
  t.match((await checkRedis(client)).warnings, [/does not report redis_version, maxmemory_policy, aof_enabled/])
})

t.test('a server that does not answer is unavailable', async t => {
  const redis = await startRedis()
  t.teardown(async () => { await redis.close() })
  const client = redis.client({ maxRetriesPerRequest: 0 })
  await client.ping()
  await redis.kill()
  await t.rejects(checkRedis(client), { code: 'REDIS_UNAVAILABLE', message: /did not answer INFO/ })
})
