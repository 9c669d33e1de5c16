/**
 * Connections: the fail-fast one fails fast, the blocking one waits, both find back
 * by themselves, and a change is told once.
 */
import type { Redis } from 'ioredis'
import t, { type Test } from '../support/tap.js'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis, type TestRedis } from '../support/redis.js'
import { connectRedis, waitUntilReady, type RedisClient } from '../../src/redis/connect.js'
import { GOODBYE_MS } from '../../src/redis/end-client.js'
import { Latch } from '../../src/redis/latch.js'
import { connected, type Connected } from './fixtures/connected.js'
import { freePort } from '../support/free-port.js'
import { makeCertificate } from './fixtures/certificate.js'
import { until } from '../support/until.js'

async function server (t: Test, args: string[] = []): Promise<TestRedis> {
  const redis = await startRedis(args)
  t.teardown(async () => { await redis.close() })
  return redis
}

/** Unlike `once` of node:events it passes over errors, which belong to these tests. */
async function event (client: RedisClient, name: string): Promise<void> {
  await new Promise<void>(resolve => { client.once(name, () => { resolve() }) })
}

/** Resolves when a connection has met such an error. */
async function toldOf ({ details }: Connected, error: RegExp): Promise<void> {
  await until(`told of ${error.source}`, () => details.some(detail => error.test(detail)))
}

t.test('while Redis is away the fail-fast one fails fast and the blocking one waits, and both come back', async t => {
  const redis = await server(t)
  const { failFast, blocking, states } = connected(t, { kind: 'socket', path: redis.path })
  await Promise.all([waitUntilReady(failFast, 5_000), waitUntilReady(blocking, 5_000)])
  const lost = event(failFast, 'close')
  await redis.kill()
  await lost

  await t.rejects(failFast.set('a', '1'), { message: /isn't writeable/ }, 'refused, not waited with')
  const waiting = blocking.set('b', '2')
  await event(failFast, 'reconnecting')
  await redis.restart()
  t.equal(await waiting, 'OK', 'what waited is done')
  await waitUntilReady(failFast, 5_000)
  t.equal(await failFast.get('b'), '2')
  t.strictSame(states.toSorted(), [
    'blocking lost', 'blocking ready', 'blocking ready', 'fail-fast lost', 'fail-fast ready', 'fail-fast ready'
  ], 'each change was told once, not each try')
})

t.test('a Redis that hangs fails a fail-fast command within about a second', async t => {
  const redis = await server(t)
  const failFast = connected(t, { kind: 'socket', path: redis.path }).failFast as Redis
  await waitUntilReady(failFast, 5_000)
  redis.process.kill('SIGSTOP')
  await t.rejects(failFast.get('a'), { message: /timed out/ }, 'while it hangs')
  t.equal(failFast.options.commandTimeout, 1_000)
  redis.process.kill('SIGCONT')
  await until('it answers again when it goes on', async () => await failFast.get('a').catch(() => undefined) === null)
})

t.test('a Redis that is away at the start is no error until somebody asks', async t => {
  const path = join(tmpdir(), 'relay-nobody-here.sock')
  const connections = connected(t, { kind: 'socket', path })
  const { failFast, blocking, close, states } = connections
  const waiting = blocking.set('a', '1')
  await toldOf(connections, /ENOENT/)
  await t.rejects(waitUntilReady(failFast, 100), { code: 'REDIS_UNAVAILABLE', message: new RegExp(`unix:${path} was not ready within 100 ms .*ENOENT.*start it`) })
  t.strictSame(states.toSorted(), ['blocking lost', 'fail-fast lost'])
  const refused = t.rejects(waiting, { message: /closed/ }, 'what waited is rejected')
  let dialled = 0
  for (const client of [failFast, blocking]) client.on('connecting', () => { dialled++ })
  await close()
  t.equal(dialled, 0, 'closing waits for no other try')
  await refused
  await t.rejects(blocking.get('a'), { message: /closed/ }, 'and so is what comes later')
})

/** What the server calls those of our connections that are open. */
async function openOnes (redis: TestRedis): Promise<string[]> {
  const clients = await redis.client().client('LIST') as string
  return [...clients.matchAll(/\bname=fotor-relay-(\S+)/g)].map(([, name]) => name!).sort()
}

t.test('behind a latch nothing is opened but what checks Redis; once it is lifted, all is, and what waited is done', async t => {
  const redis = await server(t)
  const latch = new Latch()
  const { failFast, accepting, blocking, checking, end, pubSub, states } = connected(t, { kind: 'socket', path: redis.path }, { latch, isConfirmed: true })
  const copy = (blocking as Redis).duplicate({ connectionName: 'fotor-relay-copy' }) // as the queue makes them
  copy.on('error', () => {})
  t.teardown(() => { copy.disconnect() })
  const [first, ear] = [checking(), pubSub()]
  const waiting = [blocking.set('a', '1'), copy.set('b', '2'), ear.subscribe('news')]
  await waitUntilReady(first, 5_000)
  await t.rejects(failFast.set('c', '3'), { message: /isn't writeable/ })
  await t.rejects(accepting.set('c', '3'), { message: /isn't writeable/ })
  for (const client of [failFast, blocking, copy]) client.disconnect(true) // as at a failover: they dial again, and wait again
  await first.ping()
  t.strictSame(await openOnes(redis), ['checking'])
  t.equal(await first.dbsize(), 0)

  latch.lift()
  await Promise.all(waiting)
  await Promise.all([failFast, accepting].map(async client => { await waitUntilReady(client, 5_000) }))
  await end(first)
  t.equal(await redis.client().dbsize(), 2)
  await until('the checking one is closed', async () => !(await openOnes(redis)).includes('checking'))
  t.strictSame(await openOnes(redis), ['accepting', 'blocking', 'copy', 'fail-fast', 'pub-sub'])
  t.notOk(states.includes('checking lost'), 'its end is no loss')
})

t.test('closed behind a latch, a client is closed, also when the latch is lifted later; who waited for it hears at once', async t => {
  const redis = await server(t)
  const latch = new Latch()
  const { failFast, blocking, close } = connected(t, { kind: 'socket', path: redis.path }, { latch })
  const waited = t.rejects(waitUntilReady(blocking, 3_600_000), { code: 'REDIS_UNAVAILABLE' })
  const refused = t.rejects(blocking.set('a', '1'), { message: /closed/ })
  await close()
  await Promise.all([waited, refused])
  latch.lift()
  const { checking } = connected(t, { kind: 'socket', path: redis.path })
  await waitUntilReady(checking(), 5_000)
  t.strictSame([failFast.status, blocking.status], ['end', 'end'])
})

t.test('where replicas confirm, what is acknowledged has a connection of its own; else it shares one', async t => {
  const redis = await server(t)
  const apart = connected(t, { kind: 'socket', path: redis.path }, { isConfirmed: true })
  t.not(apart.accepting, apart.failFast)
  t.equal((apart.accepting as Redis).options.commandTimeout, 1_000, 'and it fails as fast')
  const shared = connected(t, { kind: 'socket', path: redis.path })
  t.equal(shared.accepting, shared.failFast)
})

t.test('an error of an address where nobody was is over when somebody is', async t => {
  const port = await freePort()
  const connections = connected(t, { kind: 'single', url: `redis://127.0.0.1:${port}` })
  await toldOf(connections, /ECONNREFUSED/)
  const reached = event(connections.failFast, 'connect')
  const silent = createServer(socket => {
    socket.on('error', () => {})
    t.teardown(() => { socket.destroy() })
  }).listen(port, '127.0.0.1')
  t.teardown(() => { silent.close() })
  await reached
  await t.rejects(waitUntilReady(connections.failFast, 1), { code: 'REDIS_UNAVAILABLE', details: { lastError: null } })
})

t.test('who lets go in the moment of dialling dials again', async t => {
  const redis = await server(t)
  const { failFast, blocking } = connected(t, { kind: 'socket', path: redis.path })
  for (const client of [failFast, blocking]) {
    t.equal(client.status, 'connecting')
    client.disconnect(true)
  }
  await Promise.all([waitUntilReady(failFast, 5_000), waitUntilReady(blocking, 5_000)])
  t.equal(await blocking.ping(), 'PONG')
})

t.test('closing says nothing of a loss', async t => {
  const redis = await server(t)
  const { failFast, blocking, close, states } = connected(t, { kind: 'socket', path: redis.path })
  await Promise.all([waitUntilReady(failFast, 5_000), waitUntilReady(blocking, 5_000)])
  await Promise.all([close(), close()])
  t.strictSame(states.toSorted(), ['blocking ready', 'fail-fast ready'])
  t.equal(failFast.status, 'end')
})

t.test('closing does not wait for a Redis that hangs', async t => {
  const redis = await server(t)
  const { failFast, blocking, close } = connected(t, { kind: 'socket', path: redis.path })
  await Promise.all([waitUntilReady(failFast, 5_000), waitUntilReady(blocking, 5_000)])
  redis.process.kill('SIGSTOP')
  const waiting = t.rejects(blocking.get('a'))
  await close()
  t.ok(GOODBYE_MS <= 300, 'nor, where a connection does not end, for long')
  await waiting
  redis.process.kill('SIGCONT')
})

t.test('a subscriber hears messages, also after a restart', async t => {
  const redis = await server(t)
  const { blocking, pubSub } = connected(t, { kind: 'socket', path: redis.path })
  const ear = pubSub()
  await ear.subscribe('news')
  const first = once(ear, 'message')
  await blocking.publish('news', 'one')
  t.strictSame(await first, ['news', 'one'])
  const back = event(ear, 'ready')
  await redis.restart()
  await back
  const second = once(ear, 'message')
  t.equal(await until(async () => await blocking.publish('news', 'two') === 1), true)
  t.strictSame(await second, ['news', 'two'])
})

t.test('credentials are used, from the URL or beside it, and never shown', async t => {
  const port = await freePort()
  const redis = await server(t, ['--port', String(port)])
  await redis.client().acl('SETUSER', 'relay', 'on', '>se/cret', '~*', '&*', '+@all')
  const inUrl = connected(t, { kind: 'single', url: `redis://relay:se%2Fcret@127.0.0.1:${port}` })
  await waitUntilReady(inUrl.failFast, 5_000)
  t.equal(await inUrl.failFast.acl('WHOAMI'), 'relay')
  const beside = connected(t, { kind: 'single', url: `redis://127.0.0.1:${port}/2`, username: 'relay', password: 'se/cret' })
  await waitUntilReady(beside.failFast, 5_000)
  t.equal(await beside.failFast.acl('WHOAMI'), 'relay')

  const wrong = connected(t, { kind: 'single', url: `redis://relay:wrong-one@127.0.0.1:${port}` })
  await toldOf(wrong, /WRONGPASS/)
  const error = await waitUntilReady(wrong.failFast, 300).catch((error: Error) => error) as Error
  t.match(error, { code: 'REDIS_UNAVAILABLE', message: /WRONGPASS.*check redis\.username and redis\.password/ })
  t.notMatch(JSON.stringify([error, error.message, inUrl.details, beside.details, wrong.details]), /cret|wrong-one/)
})

const certificate = makeCertificate()
t.test('TLS is spoken, and a stranger\'s certificate refused', { skip: certificate === null }, async t => {
  t.teardown(() => { certificate!.remove() })
  const port = await freePort()
  await server(t, ['--tls-port', String(port), '--tls-cert-file', certificate!.certFile, '--tls-key-file', certificate!.keyFile,
    '--tls-ca-cert-file', certificate!.certFile, '--tls-auth-clients', 'no'])
  const trusted = connected(t, { kind: 'single', url: `rediss://localhost:${port}`, tls: { ca: certificate!.cert } })
  await waitUntilReady(trusted.failFast, 5_000)
  t.equal(await trusted.failFast.ping(), 'PONG')
  const strange = connected(t, { kind: 'single', url: `rediss://localhost:${port}` })
  await toldOf(strange, /certificate/)
  await t.rejects(waitUntilReady(strange.failFast, 300), { code: 'REDIS_UNAVAILABLE', message: /check redis\.tls/ })
})

t.test('a server that became a replica is left for the primary', async t => {
  const redis = await server(t)
  const { failFast } = connected(t, { kind: 'socket', path: redis.path })
  await waitUntilReady(failFast, 5_000)
  await redis.client().replicaof('127.0.0.1', 1)
  const again = event(failFast, 'reconnecting')
  await t.rejects(failFast.set('a', '1'), { message: /READONLY/ })
  await again
  await redis.client().replicaof('NO', 'ONE')
  await waitUntilReady(failFast, 5_000)
  t.equal(await failFast.set('a', '1'), 'OK')
})

t.test('an address that cannot be read is refused at once', async t => {
  t.throws(() => connectRedis({ target: { kind: 'single', url: 'localhost' }, report: () => {} }), { code: 'CONFIG_INVALID' })
})

t.test('a second error of a connection, as TLS can have one, ends nothing: it is connected anew', async t => {
  const redis = await server(t)
  const { failFast } = connected(t, { kind: 'socket', path: redis.path })
  const copy = (failFast as Redis).duplicate() // as the queue makes them
  copy.on('error', () => {})
  t.teardown(() => { copy.disconnect() })
  for (const client of [failFast as Redis, copy]) {
    await waitUntilReady(client, 5_000)
    const lost = event(client, 'close')
    const { stream } = client
    stream.emit('error', new Error('the certificate is refused'))
    stream.emit('error', new Error('tlsv1 alert decode error'))
    stream.destroy()
    await lost
    await waitUntilReady(client, 5_000)
    t.equal(await client.ping(), 'PONG')
  }
})
