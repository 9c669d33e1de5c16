import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { startGateway } from '../../src/gateway.js'
import { findServerProgram } from '../../src/redis/server-program.js'
import { MAIN } from '../support/gateway.js'
import { folder, PACKAGE_DIR, run, type Ended } from './at-the-terminal.js'

const SHIPPED = readFileSync(join(PACKAGE_DIR, 'config', 'demo.yaml'), 'utf8')

/** The shipped configuration, on free ports. */
async function demoConfig (t: Test, subscriberPort?: number): Promise<string> {
  const port = subscriberPort ?? await freePort()
  const yaml = SHIPPED.replace('127.0.0.1:8080', '127.0.0.1:0').replace('127.0.0.1:8081', '127.0.0.1:0').replace('127.0.0.1:9001', `127.0.0.1:${port}`)
  return join(folder(t, { 'demo.yaml': yaml }), 'demo.yaml')
}

async function freePort (): Promise<number> {
  const { server, port } = await listen()
  server.close()
  await once(server, 'close')
  return port
}

async function listen (): Promise<{ server: ReturnType<typeof createServer>, port: number }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

const leftovers = (): string[] => readdirSync(process.env['TMPDIR']!).filter(name => name.startsWith('fotor-relay-demo-'))

async function demoOnce (config: string): Promise<Ended> {
  const { PATH = '' } = process.env
  return await run(['demo', '--once', '--config', config], { env: { PATH }, deps: { startGateway, findServerProgram } })
}

// Its own place for temporary files, so that what is left there is the demo's.
t.before(() => {
  const dir = join(t.testdir(), 'tmp')
  const before = process.env['TMPDIR']
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  mkdirSync(dir)
  process.env['TMPDIR'] = dir
})

t.test('the demo delivers the vendor\'s sample, tells so, and leaves nothing behind; twice', async t => {
  const config = await demoConfig(t)
  for (let time = 0; time < 2; time++) {
    const { code, out, err } = await demoOnce(config)
    t.match({ code, err }, { code: 0, err: '' })
    t.match(out, /answered 200: accepted as evt_/)
    t.match(out, /subscriber demo got evt_\w+: avatar, task 39371b3800cc4a7e9e24867b0dfdf25b, attempt 1, signature good/)
    t.match(out, /✓ delivered, \d+ ms after it was posted, byte for byte/)
    t.strictSame(leftovers(), [])
  }
})

t.test('the real program stays up until Ctrl-C, its suggestions work meanwhile, and no log line is in the story', async t => {
  const { env } = process
  const child = spawn(process.execPath, [MAIN, 'demo', '--config', await demoConfig(t)], { env, stdio: 'pipe' })
  t.teardown(() => { child.kill('SIGKILL') })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); child.emit('said') })
  while (!out.includes('Ctrl-C ends the demo')) await once(child, 'said', { signal: AbortSignal.timeout(30_000) })

  const suggestions = [...out.matchAll(/npx fotor-relay (.*)/g)].map(([, line]) => line!.split(' '))
  t.equal(suggestions.length, 4)
  for (const words of suggestions) t.match(await run(words), { code: 0 }, words.join(' '))

  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  t.notMatch(out, /^\{/m)
  t.match(out, /\nStopped; everything the demo made is removed\.\n$/)
  t.strictSame(leftovers(), [])
})

t.test('a busy port of the subscriber names the key to change', async t => {
  const { server, port } = await listen()
  t.teardown(() => { server.close() })
  const { code, err } = await demoOnce(await demoConfig(t, port))
  t.equal(code, 1)
  t.match(err, new RegExp(`127\\.0\\.0\\.1:${port} is in use by another process: free it, or change subscribers\\[0\\]\\.url`))
  t.strictSame(leftovers(), [])
})

t.test('a busy port of the gateway names the key to change', async t => {
  const { server, port } = await listen()
  t.teardown(() => { server.close() })
  const yaml = readFileSync(await demoConfig(t), 'utf8').replace('admin:\n  listen: 127.0.0.1:0', `admin:\n  listen: 127.0.0.1:${port}`)
  const { code, err } = await demoOnce(join(folder(t, { 'demo.yaml': yaml }), 'demo.yaml'))
  t.equal(code, 1)
  t.match(err, new RegExp(`127\\.0\\.0\\.1:${port} is in use.*admin\\.listen`))
  t.strictSame(leftovers(), [])
})

t.test('the demo\'s callback is the vendor\'s sample, byte for byte', async t => {
  t.ok(readFileSync(join(PACKAGE_DIR, 'config', 'demo-callback.json')).equals(readFileSync(join(PACKAGE_DIR, 'test', 'samples', 'avatar.json'))))
})
