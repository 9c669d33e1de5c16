/**
 * The gateway's own Redis loses nothing it acknowledged, is never doubled and
 * never left behind. Real processes, really killed.
 */
import t from '../support/tap.js'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Fact } from '../../src/model/fact.js'
import { connectRedis, waitUntilReady } from '../../src/redis/connect.js'
import { machineMemory } from '../../src/redis/machine-memory.js'
import { startManagedRedis } from '../../src/redis/managed.js'
import { markOf } from '../../src/redis/process-mark.js'
import { readServerRecord } from '../../src/redis/server-record.js'
import { restarted, scene, untilGone, type Scene } from './fixtures/scene.js'
import { until } from '../support/until.js'

async function maxMemory (client: Redis): Promise<number> {
  return Number((await client.config('GET', 'maxmemory') as string[])[1])
}

t.test('it is durable, private and never evicts', async t => {
  const { start, client, dataDir } = scene(t)
  const redis = await start()
  const settings = await client(redis.target.path).config('GET', 'app*', 'maxmemory-policy', 'save', 'port', 'hash-max-listpack-value', 'auto-aof-rewrite-min-size') as string[]
  const setting = (name: string): string | undefined => settings[settings.indexOf(name) + 1]
  t.equal(setting('appendonly'), 'yes')
  t.equal(setting('appendfsync'), 'always')
  t.equal(setting('maxmemory-policy'), 'noeviction')
  t.equal(setting('save'), '')
  t.equal(setting('auto-aof-rewrite-min-size'), '268435456')
  t.equal(setting('port'), '0')
  t.equal(setting('hash-max-listpack-value'), '1024')
  t.equal(statSync(dataDir).mode & 0o777, 0o700, 'the directory is for its owner only')
  t.equal(statSync(redis.target.path).mode & 0o077, 0, 'and so is the socket')
  t.equal(redis.adopted, false)
})

t.test('its data may take half of the memory there is, and no more', async t => {
  const { start, client } = scene(t)
  const redis = await start()
  t.strictSame(redis.warnings, [])
  t.equal(await maxMemory(client(redis.target.path)), Math.floor(machineMemory() / 2))
})

t.test('or as much as it is told; more than there is, that is said', async t => {
  const { start, client } = scene(t)
  const limited = await start({ maxMemoryBytes: 64 * 1024 * 1024 })
  t.equal(await maxMemory(client(limited.target.path)), 67_108_864)
  await limited.stop()
  const boundless = await start({ maxMemoryBytes: machineMemory() * 2 })
  t.match(boundless.warnings, [/^redis\.maxMemory is \d+ MB and there are \d+ MB: .*leave it out$/])
})

t.test('stopping ends the process and leaves only data', async t => {
  const { start, dataDir } = scene(t)
  const redis = await start()
  const pid = redis.pid()
  await Promise.all([redis.stop(), redis.stop()])
  t.equal(await markOf(pid), null)
  t.strictSame(readdirSync(dataDir).sort(), ['appendonlydir', 'redis.log'])
})

t.test('what was acknowledged survives kill -9 of the server under load', async t => {
  const { start, facts } = scene(t)
  const redis = await start()
  const connections = connectRedis({ target: redis.target, report: () => {} })
  t.teardown(async () => { await connections.close() })
  const acknowledged = new Set<string>()
  let refused = 0

  async function write (key: string): Promise<void> {
    for (let tries = 0; tries < 1_000; tries++) {
      try {
        await connections.failFast.set(key, key)
        acknowledged.add(key)
        return
      } catch {
        refused++
        await turn() // a connection that was just lost is called ready until its end has been read
        await waitUntilReady(connections.failFast, 10_000)
      }
    }
    throw new Error(`${key} was never acknowledged`)
  }
  const killAt = [400, 800, 1_200]
  async function writer (name: number): Promise<void> {
    for (let n = 0; n < 200; n++) {
      await write(`${name}-${n}`)
      if (acknowledged.size < (killAt[0] ?? Infinity)) continue
      killAt.shift()
      const info = await connections.blocking.info('server')
      process.kill(Number(/process_id:(\d+)/.exec(info)![1]), 'SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: 8 }, async (_, name) => { await writer(name) }))

  t.equal(acknowledged.size, 1_600)
  t.ok(refused > 0, 'some writes met a dead server')
  const found = await connections.blocking.mget([...acknowledged])
  t.strictSame(found, [...acknowledged])
  t.equal(facts.filter(restarted).length, 3, 'it was started again each time')
})

/** Stops it and cuts the last write short, as a disk that was full or a power loss does. */
async function tear ({ start, client, dataDir }: Scene): Promise<void> {
  const redis = await start()
  const connection = client(redis.target.path)
  await connection.set('before', 1)
  await connection.eval("redis.call('SET', 'torn:a', 1) redis.call('SET', 'torn:b', ARGV[1])", 0, 'x'.repeat(300))
  await redis.stop()
  const dir = join(dataDir, 'appendonlydir')
  const [file] = readdirSync(dir).filter(name => name.endsWith('.incr.aof'))
  const path = join(dir, file!)
  truncateSync(path, statSync(path).size - 60)
}

t.test('of a write that was cut short nothing is left, also after another start', async t => {
  const stage = scene(t)
  await tear(stage)
  const redis = await stage.start()
  await stage.client(redis.target.path).eval("redis.call('SET', 'next:a', 1) redis.call('SET', 'next:b', 1)", 0)
  await redis.stop()
  const again = await stage.start()
  t.strictSame((await stage.client(again.target.path).keys('*')).sort(), ['before', 'next:a', 'next:b'])
})

t.test('a program that cannot check its files cuts them itself', async t => {
  const stage = scene(t)
  await tear(stage)
  const wrapper = join(dirname(stage.dataDir), 'wrapper')
  writeFileSync(wrapper, '#!/bin/sh\nexec redis-server "$@"\n', { mode: 0o700 })
  const redis = await stage.start({ env: { RELAY_REDIS_BIN: wrapper } })
  t.strictSame(await stage.client(redis.target.path).keys('*'), ['before'])
})

t.test('a server whose gateway was killed is adopted, with its data', async t => {
  const { start, gateway, client } = scene(t)
  const first = await gateway()
  const connection = client(first.said.socket)
  await connection.set('written', 'before')
  await first.running.end('SIGKILL')

  const redis = await start()
  t.equal(redis.adopted, true)
  t.equal(redis.pid(), first.said.pid, 'the same process')
  t.equal(await connection.get('written'), 'before')
  await redis.stop()
  t.equal(await untilGone(first.said.pid), true, 'and it is stopped like one of our own')
})

t.test('an adopted server gets the settings of today, its limit of memory too', async t => {
  const { start, gateway, client } = scene(t)
  const first = await gateway()
  await client(first.said.socket).config('SET', 'maxmemory', '0')
  await first.running.end('SIGKILL')
  const redis = await start({ maxMemoryBytes: 67_108_864 })
  t.equal(redis.adopted, true)
  t.equal(await maxMemory(client(redis.target.path)), 67_108_864)
})

t.test('an adopted server is kept alive too', async t => {
  const { start, gateway, client, fact } = scene(t)
  const first = await gateway()
  await first.running.end('SIGKILL')
  const redis = await start()
  await client(redis.target.path).set('written', 'after the adoption')
  process.kill(redis.pid(), 'SIGKILL')
  await fact(restarted)
  t.not(redis.pid(), first.said.pid)
  t.equal(await client(redis.target.path).get('written'), 'after the adoption')
})

t.test('a server killed before its id was written is adopted all the same', async t => {
  const { start, gateway, dataDir } = scene(t)
  const first = await gateway()
  await first.running.end('SIGKILL')
  writeFileSync(join(dataDir, 'redis-server.json'), JSON.stringify({ mark: null, socket: first.said.socket }))
  const redis = await start()
  t.equal(redis.pid(), first.said.pid)
})

t.test('a server that is ending is waited for, never doubled', async t => {
  const { start, gateway } = scene(t)
  const first = await gateway()
  process.kill(first.said.pid, 'SIGSTOP')
  await first.running.end('SIGKILL')
  const starting = start()
  process.kill(first.said.pid, 'SIGTERM')
  process.kill(first.said.pid, 'SIGCONT')
  const redis = await starting
  t.equal(await until(() => redis.pid() !== first.said.pid), true, 'a new one takes its place')
  t.equal(await markOf(first.said.pid), null, 'and the old one was gone by then')
})

t.test('when gateway and server were both killed, a new server has the data', async t => {
  const { start, gateway, client } = scene(t)
  const first = await gateway()
  await client(first.said.socket).set('written', 'before')
  await first.running.end('SIGKILL')
  process.kill(first.said.pid, 'SIGKILL')
  const redis = await start()
  t.equal(redis.adopted, false)
  t.equal(await client(redis.target.path).get('written'), 'before')
})

t.test('Ctrl-C in the terminal does not reach the server', async t => {
  const { gateway, client } = scene(t)
  const { running, said } = await gateway()
  const ended = new Promise(resolve => running.process.once('exit', resolve))
  t.not(execFileSync('ps', ['-o', 'pgid=', '-p', String(said.pid)], { encoding: 'utf8' }).trim(), String(running.process.pid), 'a group of its own')
  process.kill(-running.process.pid!, 'SIGINT')
  await ended
  t.equal(await client(said.socket).ping(), 'PONG')
})

t.test('a gateway that is told to stop takes its server with it', async t => {
  const { gateway } = scene(t)
  const { running, said } = await gateway()
  await running.end('SIGTERM')
  t.equal(running.process.exitCode, 0)
  t.equal(await markOf(said.pid), null)
})

t.test('a second gateway on the same directory is refused, by name of the first', async t => {
  const { start, gateway, client } = scene(t)
  const first = await gateway()
  await t.rejects(start(), { code: 'DATA_DIR_IN_USE', message: new RegExp(`gateway with pid ${first.running.process.pid}:`) })
  t.equal(await client(first.said.socket).ping(), 'PONG', 'and the first is not disturbed')
})

t.test('two gateways that start at the same instant: one runs, one is refused', async t => {
  const { gateway } = scene(t)
  const both = await Promise.all([gateway(), gateway()])
  const codes = both.map(({ said }) => said.code ?? 'runs').sort()
  t.strictSame(codes, ['DATA_DIR_IN_USE', 'runs'])
})

t.test('a server that is not known to be ours is left alone', async t => {
  const { start, client, dataDir } = scene(t)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const socket = join(dataDir, 'redis.sock')
  const stranger = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', dataDir], { stdio: 'ignore' })
  t.teardown(() => { stranger.kill('SIGKILL') })
  await client(socket).ping()
  await t.rejects(start(), { code: 'DATA_DIR_IN_USE', message: new RegExp(`pid ${stranger.pid} that is not known`) })
  t.equal(await client(socket).ping(), 'PONG')
})

t.test('a directory whose path is too long for a socket gets a short one', async t => {
  const { start, gateway, client, dataDir } = scene(t, join('long'.repeat(25), 'data'))
  const first = await gateway()
  t.ok(Buffer.byteLength(first.said.socket) <= 100)
  t.equal(statSync(dirname(first.said.socket)).mode & 0o777, 0o700)
  await first.running.end('SIGKILL')

  const redis = await start()
  t.equal(redis.pid(), first.said.pid, 'where it is found again')
  t.equal((await client(redis.target.path).config('GET', 'dir') as string[])[1], dataDir)
  await redis.stop()
  t.equal(existsSync(dirname(redis.target.path)), false, 'and nothing of it is left')
})

t.test('a directory open to others is closed to them, and that is said', async t => {
  const { start, dataDir } = scene(t)
  mkdirSync(dataDir, { mode: 0o755 })
  const redis = await start()
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.match(redis.warnings, [/0755.*now 0700/])
})

t.test('a directory of an earlier gateway that was opened to others is closed again', async t => {
  const { start, dataDir } = scene(t)
  await (await start()).stop()
  mkdirSync(join(dataDir, 'spool'))
  chmodSync(dataDir, 0o755)
  await start()
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
})

for (const [whose, mode, file] of [['holds what is not the gateway\'s', 0o755, 'thesis.tex'], ['is shared by many', 0o1777, null]] as const) {
  t.test(`an open directory that ${whose} is refused, and left as it is`, async t => {
    const { start, dataDir } = scene(t)
    mkdirSync(dataDir)
    chmodSync(dataDir, mode)
    if (file !== null) writeFileSync(join(dataDir, file), '')
    await t.rejects(start(), { code: 'CONFIG_INVALID', message: new RegExp(`dataDir ${dataDir} .*choose another dataDir.*chmod 700`) })
    t.equal(statSync(dataDir).mode & 0o7777, mode)
    t.strictSame(readdirSync(dataDir), file === null ? [] : [file])
  })
}

t.test('a directory with other files that is private already is taken', async t => {
  const { start, dataDir } = scene(t)
  mkdirSync(dataDir, { mode: 0o700 })
  writeFileSync(join(dataDir, 'notes.txt'), '')
  t.strictSame((await start()).warnings, [])
})

t.test('a server that cannot come up says why, and lets the directory go', async t => {
  const { start, dataDir } = scene(t)
  const redis = await start()
  await redis.stop()
  const manifest = join(dataDir, 'appendonlydir', 'appendonly.aof.manifest')
  const sound = readFileSync(manifest)
  writeFileSync(manifest, 'nonsense')
  await t.rejects(start(), { code: 'REDIS_UNAVAILABLE', message: /ended with code 1 while starting: ".+"; see .*redis\.log/ })
  writeFileSync(manifest, sound)
  t.equal((await start()).adopted, false)
})

t.test('a server that cannot be started again is tried until it can, and told once', async t => {
  const { start, facts, fact, dataDir } = scene(t)
  const redis = await start()
  const manifest = join(dataDir, 'appendonlydir', 'appendonly.aof.manifest')
  const sound = readFileSync(manifest)
  writeFileSync(manifest, 'nonsense')
  process.kill(redis.pid(), 'SIGKILL')
  await fact(fact => fact.fact === 'redis.state' && /while starting/.test(fact.detail ?? ''))
  writeFileSync(manifest, sound)
  await fact(restarted)
  t.ok(facts.length <= 4, 'killed, cannot start (its log may differ once), started')
})

t.test('stopping does not wait for a server that cannot be started again', async t => {
  const { start, fact, dataDir } = scene(t)
  const redis = await start()
  writeFileSync(join(dataDir, 'appendonlydir', 'appendonly.aof.manifest'), 'nonsense')
  process.kill(redis.pid(), 'SIGKILL')
  await fact(fact => fact.fact === 'redis.state' && /while starting/.test(fact.detail ?? ''))
  await redis.stop()
  t.equal(existsSync(join(dataDir, 'gateway.lock')), false)
})

t.test('the server is given none of our secrets', { skip: process.platform !== 'linux' }, async t => {
  process.env['PLANTED_SECRET'] = 'do-not-pass-on'
  t.teardown(() => { delete process.env['PLANTED_SECRET'] })
  const redis = await scene(t).start()
  t.notMatch(readFileSync(`/proc/${redis.pid()}/environ`, 'utf8'), /PLANTED_SECRET/)
})

t.test('kept running, the server outlives the gateway and the next one adopts it', async t => {
  const { start, client } = scene(t)
  const first = await start({ keepRunning: true })
  const pid = first.pid()
  const { target } = first
  await client(target.path).set('written', 'before')
  await first.stop()
  t.not(await markOf(pid), null, 'it lives')
  const second = await start()
  t.strictSame([second.adopted, second.pid(), await client(second.target.path).get('written')], [true, pid, 'before'])
  await second.stop()
  t.equal(await markOf(pid), null, 'and ends with one that does not keep it')
})

t.test('a server that still reads its data is stopped with whoever waits for it, and told meanwhile', async t => {
  const { dataDir, start } = scene(t)
  const first = await start()
  const writer = new Redis({ path: first.target.path })
  const pipeline = writer.pipeline()
  for (let n = 0; n < 20_000; n++) pipeline.set(`k${n}`, 'x')
  await pipeline.exec()
  writer.disconnect()
  await first.stop()
  const slow = join(t.testdir(), 'redis-server')
  writeFileSync(slow, '#!/bin/sh\nif [ $# -gt 1 ]; then exec redis-server "$@" --key-load-delay 500; fi\nexec redis-server "$@"\n', { mode: 0o755 })
  const facts: Fact[] = []
  const second = await startManagedRedis({ dataDir, env: { ...process.env, RELAY_REDIS_BIN: slow }, maxMemoryBytes: null, report (fact) { facts.push(fact) } })
  const up = second.up.then(() => 'up', () => 'not up')
  await until('it is told how far it is', () => facts.some(({ fact }) => fact === 'redis.loading'))
  t.match(facts.find(({ fact }) => fact === 'redis.loading'), { percent: Number, secondsLeft: Number })
  const { pid } = readServerRecord(dataDir)!.mark!
  await second.stop()
  t.not(await up, 'up')
  t.equal(await markOf(pid), null, 'nothing is left of it')
})
