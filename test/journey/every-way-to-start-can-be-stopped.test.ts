/**
 * Each documented way to start ends cleanly when it is told to, and leaves
 * nothing behind; a signal in the first moment of a start, or while it waits
 * for Redis, is obeyed too: a stop with 0, and a hangup is no end.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from '../support/tap.js'
import { endWithUs } from '../support/children.js'
import { freePort } from '../support/free-port.js'
import { MAIN, type Settings } from '../support/gateway.js'
import { startRedis } from '../support/redis.js'
import { setScene } from '../support/scene.js'
import { until } from '../support/until.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const AT_FIRST = fileURLToPath(new URL('../support/signal-at-first.mjs', import.meta.url))

interface Started {
  child: ChildProcess
  adminUrl: string
  out: () => string
  err: () => string
}

interface Way {
  /** The words of the command; of a shell's when it is npm. */
  command: readonly string[]
  env?: NodeJS.ProcessEnv
}

/** Where the gateway will listen, and how it is told. */
async function placeOf (t: Test, settings: Settings = {}): Promise<{ configFile: string, dataDir: string, adminUrl: string }> {
  const admin = await freePort()
  const home = setScene(t).home({ admin: { listen: `127.0.0.1:${admin}` }, ...settings })
  return { configFile: home.configFile, dataDir: join(home.dir, 'data'), adminUrl: `http://127.0.0.1:${admin}` }
}

/** Runs a command in a process group of its own, which ends with the test, whoever is in it. */
function start (t: Test, { command: [program, ...words], env = {} }: Way, adminUrl: string): Started {
  const child = spawn(program!, words, { cwd: ROOT, env: { ...process.env, npm_config_update_notifier: 'false', ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  endWithUs(child)
  t.teardown(() => { try { process.kill(-child.pid!, 'SIGKILL') } catch { /* nobody is left */ } })
  let [out, err] = ['', '']
  child.stdout!.on('data', (chunk: Buffer) => { out += chunk.toString() })
  child.stderr!.on('data', (chunk: Buffer) => { err += chunk.toString() })
  return { child, adminUrl, out: () => out, err: () => err }
}

async function untilOpen ({ child, adminUrl, err }: Started): Promise<void> {
  await until('it is open', async () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}: ${err()}`)
    return await fetch(`${adminUrl}/readyz`).then(({ status }) => status === 200, () => false)
  })
}

/** Resolves when nobody listens there any more. */
async function untilClosed ({ adminUrl }: Started): Promise<void> {
  await until('nobody listens any more', async () => await fetch(`${adminUrl}/healthz`).then(() => false, () => true))
}

/** The code, or the signal, that it ended with. */
async function endOf ({ child }: Started): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode
}

/** The server of the gateway's own Redis. */
function serverPid (dataDir: string): number {
  return (JSON.parse(readFileSync(join(dataDir, 'redis-server.json'), 'utf8')) as { mark: { pid: number } }).mark.pid
}

function isThere (pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** The program of npm itself may end as its signal says; what it started must be gone. */
for (const [says, command, endsWith] of [
  ['npm start', ['npm', 'start', '--silent'], null],
  ['node dist/main.js start, as the image and a unit file do', [process.execPath, MAIN, 'start'], 0]
] as const) {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    t.test(`${says}: ${signal} ends gateway and Redis`, async t => {
      const { configFile, dataDir, adminUrl } = await placeOf(t)
      const started = start(t, { command, env: { RELAY_CONFIG: configFile } }, adminUrl)
      await untilOpen(started)
      const redis = serverPid(dataDir)
      started.child.kill(signal)
      const end = await endOf(started)
      if (endsWith !== null) t.equal(end, endsWith)
      await untilClosed(started)
      await until('its Redis is gone', () => !isThere(redis))
    })
  }
}

t.test('npm run demo: SIGTERM ends it, and nothing of it is left', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'relay-demo-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const [admin, port] = [await freePort(), await freePort()]
  const shipped = readFileSync(join(ROOT, 'config/demo.yaml'), 'utf8')
  const config = join(dir, 'demo.yaml')
  writeFileSync(config, shipped.replace('127.0.0.1:8080', '127.0.0.1:0').replace('127.0.0.1:8081', `127.0.0.1:${admin}`).replace('127.0.0.1:9001', `127.0.0.1:${port}`))
  const command = ['npm', 'run', '--silent', 'demo', '--', '--config', config]
  const started = start(t, { command, env: { TMPDIR: dir } }, `http://127.0.0.1:${admin}`)
  await until('the story is told', () => started.out().includes('Ctrl-C ends the demo'))
  started.child.kill('SIGTERM')
  await endOf(started)
  await untilClosed(started)
  await until('it has said goodbye', () => started.out().includes('everything the demo made is removed'))
})

/** What is loaded when the signals are caught: the main file and what it needs for that. */
const LOADED_BY_THEN = ['dist/main.js', 'dist/cli/signals.js']

for (const command of ['start', 'demo'] as const) {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    t.test(`${command}: ${signal} in the first moment ends it with 0, at once`, async t => {
      const { configFile, adminUrl } = await placeOf(t)
      const file = join(dirname(configFile), 'loaded')
      const started = start(t, {
        command: [process.execPath, '--import', AT_FIRST, MAIN, command, '--config', configFile], env: { SIGNAL_AT_FIRST: signal, LOADED_FILE: file }
      }, adminUrl)
      t.equal(await endOf(started), 0)
      t.equal(started.out() + started.err(), '')
      t.strictSame(loadedBefore(file), LOADED_BY_THEN)
    })
  }
}

t.test('SIGHUP in the first moment of a start is no end', async t => {
  const { configFile, adminUrl } = await placeOf(t)
  const file = join(dirname(configFile), 'loaded')
  const started = start(t, {
    command: [process.execPath, '--import', AT_FIRST, MAIN, 'start', '--config', configFile], env: { SIGNAL_AT_FIRST: 'SIGHUP', LOADED_FILE: file }
  }, adminUrl)
  await untilOpen(started)
  t.strictSame(loadedBefore(file), LOADED_BY_THEN)
  started.child.kill('SIGTERM')
  t.equal(await endOf(started), 0)
})

t.test('SIGHUP while it waits for its Redis is no end, and is obeyed once it has started; SIGTERM there ends it with 0', async t => {
  const port = await freePort()
  const { configFile, adminUrl } = await placeOf(t, { redis: { url: `redis://127.0.0.1:${port}` } })
  const command = [process.execPath, MAIN, 'start', '--config', configFile]
  const isWaiting = async ({ out }: Started): Promise<unknown> => await until('it waits for Redis', () => /redis\.state/.test(out()))

  const given = start(t, { command }, adminUrl)
  await isWaiting(given)
  given.child.kill('SIGTERM')
  t.equal(await endOf(given), 0)

  const started = start(t, { command }, adminUrl)
  await isWaiting(started)
  started.child.kill('SIGHUP')
  const redis = await startRedis(['--port', String(port), '--bind', '127.0.0.1'])
  t.teardown(async () => { await redis.close() })
  await untilOpen(started)
  await until('the configuration was read again', () => started.out().includes('config.loaded'))
  started.child.kill('SIGTERM')
  t.equal(await endOf(started), 0)
})

function loadedBefore (file: string): string[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.slice(0, lines.indexOf('caught'))
}
