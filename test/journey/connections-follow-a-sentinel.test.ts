/**
 * Redis Sentinel, with a real failover.
 */
import t from '../support/tap.js'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startRedis } from '../support/redis.js'
import { waitUntilReady } from '../../src/redis/connect.js'
import { Latch } from '../../src/redis/latch.js'
import { connected } from '../redis/fixtures/connected.js'
import { freePort } from '../support/free-port.js'
import { until } from '../support/until.js'

/** A sentinel that stood still for two seconds does nothing for half a minute (its TILT mode); milliseconds. */
const GUARD_MS = 100_000

const [firstPort, secondPort, sentinelPort] = [await freePort(), await freePort(), await freePort()]
const first = await startRedis(['--port', String(firstPort)])
const second = await startRedis(['--port', String(secondPort), '--replicaof', `127.0.0.1 ${firstPort}`])
const folder = mkdtempSync(join(tmpdir(), 'relay-sentinel-'))
writeFileSync(join(folder, 'sentinel.conf'), [
  `port ${sentinelPort}`, 'bind 127.0.0.1', `sentinel monitor main 127.0.0.1 ${firstPort} 1`
].join('\n'))
const watcher = spawn('redis-server', [join(folder, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore', cwd: folder })
const sentinel = new Redis({ port: sentinelPort, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null })
sentinel.on('error', () => {})
t.teardown(async () => {
  sentinel.disconnect()
  watcher.kill('SIGKILL')
  await Promise.all([first.close(), second.close()])
  rmSync(folder, { recursive: true, force: true })
})

t.test('the primary is asked for by name, and followed through a failover', async t => {
  const seen = await until(async () => {
    const replicas = await sentinel.call('SENTINEL', 'REPLICAS', 'main') as unknown[][]
    return replicas.some(replica => replica.includes(String(secondPort)) && replica.includes('ok'))
  })
  t.equal(seen, true, 'the sentinel knows the replica')

  const { failFast, blocking } = connected(t, { kind: 'sentinel', name: 'main', nodes: [`127.0.0.1:${sentinelPort}`] })
  await waitUntilReady(failFast, GUARD_MS)
  await blocking.set('written', 'before')
  t.match(await failFast.info('server'), `tcp_port:${firstPort}`)
  t.equal(await until(async () => await second.client().get('written') === 'before'), true)

  const letGo = new Promise<void>(resolve => { failFast.once('close', () => { resolve() }) })
  await sentinel.call('SENTINEL', 'FAILOVER', 'main')
  await letGo
  await waitUntilReady(failFast, GUARD_MS)
  t.match(await failFast.info('server'), `tcp_port:${secondPort}`, 'the new primary is used at once')
  t.match(await first.client().info('replication'), 'role:master', 'while the old one would still take writes')
  t.equal(await failFast.set('written', 'after'), 'OK')
  t.equal(await second.client().get('written'), 'after')
})

t.test('an unknown name is told with the sentinel\'s address', async t => {
  const { failFast } = connected(t, { kind: 'sentinel', name: 'other', nodes: [`127.0.0.1:${sentinelPort}`] })
  await t.rejects(waitUntilReady(failFast, 300), { code: 'REDIS_UNAVAILABLE', message: new RegExp(`sentinel other \\(127\\.0\\.0\\.1:${sentinelPort}\\)`) })
})

t.test('behind a latch the primary hears of nobody but of what checks it; letting go meanwhile changes nothing', async t => {
  const latch = new Latch()
  const { failFast, blocking, checking } = connected(t, { kind: 'sentinel', name: 'main', nodes: [`127.0.0.1:${sentinelPort}`] }, { latch })
  const waiting = blocking.set('behind', 'a latch')
  const check = checking()
  await waitUntilReady(check, GUARD_MS)
  blocking.disconnect(true) // as at a failover
  await t.rejects(failFast.get('a'), { message: /isn't writeable/ })
  t.equal(await check.get('behind'), null)
  latch.lift()
  t.equal(await waiting, 'OK')
  await waitUntilReady(failFast, GUARD_MS)
})

t.test('a second error of a connection ends nothing here either', async t => {
  const { failFast } = connected(t, { kind: 'sentinel', name: 'main', nodes: [`127.0.0.1:${sentinelPort}`] })
  await waitUntilReady(failFast, GUARD_MS)
  const { stream } = failFast as Redis
  stream.emit('error', new Error('the certificate is refused'))
  stream.emit('error', new Error('tlsv1 alert decode error'))
  stream.destroy()
  t.equal(await until(async () => await failFast.ping().then(() => true, () => false)), true)
})

t.test('who lets go while the sentinels are asked asks them again, and so does a copy; who is closed then is closed', async t => {
  watcher.kill('SIGSTOP')
  t.teardown(() => { watcher.kill('SIGCONT') })
  const target = { kind: 'sentinel', name: 'main', nodes: [`127.0.0.1:${sentinelPort}`] } as const
  const { failFast, blocking } = connected(t, target)
  const closed = connected(t, target)
  const copy = (blocking as Redis).duplicate() // as the queue makes them
  copy.on('error', () => {})
  t.teardown(() => { copy.disconnect() })
  const clients = [failFast, blocking, copy]
  for (const client of [...clients, closed.blocking]) t.equal(client.status, 'connecting')
  for (const client of clients) client.disconnect(true)
  await closed.close()
  watcher.kill('SIGCONT')
  await Promise.all(clients.map(async client => { await waitUntilReady(client, 5_000) }))
  t.strictSame(await Promise.all(clients.map(async client => await client.ping())), ['PONG', 'PONG', 'PONG'])
  t.equal(closed.blocking.status, 'end')
})
