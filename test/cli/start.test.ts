import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { programAt } from '../support/program.js'
import { folder } from './at-the-terminal.js'

// Most of the time of each is spent by a process that starts.
t.jobs = 2

const PROGRAM = programAt(import.meta.url, './start-process.ts')

interface Running {
  child: ChildProcess
  out: () => string
  err: () => string
  /** Resolves when either output says it. */
  says: (text: string) => Promise<void>
  /** The exit code, or the signal that ended it. */
  ended: Promise<number | string>
}

function start (t: Test, words: string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [PROGRAM, ...words], { env: { ...process.env, ...env }, stdio: 'pipe' })
  t.teardown(() => { child.kill('SIGKILL') })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); child.emit('said') })
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString(); child.emit('said') })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    async says (text) { while (!(out + err).includes(text)) await once(child, 'said', { signal: AbortSignal.timeout(20_000) }) }
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} stops the gateway once, and ends cleanly`, async t => {
    const running = start(t, ['start'])
    await running.says('1.2.3 runs with config/relay.yaml')
    running.child.kill(signal)
    t.equal(await running.ended, 0)
    t.equal(running.out(), 'role all\nstopping\n')
    t.notMatch(running.err(), 'very-secret')
  })
}

t.test('a second Ctrl-C says that it is stopping, a third ends at once', async t => {
  const running = start(t, ['start', '--role', 'ingest'], { STAND_IN: 'stays' })
  await running.says('runs with')
  running.child.kill('SIGINT')
  await running.says('stopping')
  running.child.kill('SIGINT')
  await running.says('Stopping: waiting for deliveries in flight.')
  running.child.kill('SIGINT')
  t.equal(await running.ended, 1)
  t.equal(running.out(), 'role ingest\nstopping\n')
})

t.test('Ctrl-C during the start says so, and stops cleanly when the start is complete', async t => {
  const running = start(t, ['start'], { STAND_IN: 'starts slowly' })
  await running.says('role all')
  running.child.kill('SIGINT')
  t.equal(await running.ended, 0)
  t.equal(running.out(), 'role all\nstopping\n')
  t.equal(running.err(), 'The start is given up. Repeat to stop at once.\n')
})

t.test('a second Ctrl-C during the start ends at once', async t => {
  const running = start(t, ['start'], { STAND_IN: 'never starts' })
  await running.says('role all')
  running.child.kill('SIGINT')
  await running.says('The start is given up')
  running.child.kill('SIGINT')
  t.equal(await running.ended, 1)
  t.equal(running.out(), 'role all\n')
})

t.test('SIGHUP reloads, and the gateway runs on', async t => {
  const running = start(t, ['start'])
  await running.says('runs with')
  running.child.kill('SIGHUP')
  await running.says('reloaded')
  running.child.kill('SIGTERM')
  t.equal(await running.ended, 0)
})

t.test('SIGUSR1 opens no debugger and SIGUSR2 ends nothing, from the start on', async t => {
  const running = start(t, ['start'], { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' })
  await running.says('role all')
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) running.child.kill(signal)
  await running.says('runs with')
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const) running.child.kill(signal)
  await running.says('reloaded')
  running.child.kill('SIGTERM')
  t.equal(await running.ended, 0)
  t.notMatch(running.err(), /Debugger/)
})

t.test('a configuration with faults is listed and ends with 2', async t => {
  const file = join(folder(t, { 'relay.yaml': 'ingest:\n  maxBody: 1\n' }), 'relay.yaml')
  const running = start(t, ['start'], { RELAY_CONFIG: file })
  t.equal(await running.ended, 2)
  t.equal(running.out(), '')
  t.match(running.err(), /relay\.yaml:2:12 {2}ingest\.maxBody has no unit\n {4}→ write 1kb or 1mb\nerror: 1 fault in/)
})

t.test('a busy port names the address and the key, and ends with 1', async t => {
  const running = start(t, ['start'], { STAND_IN: 'busy' })
  t.equal(await running.ended, 1)
  t.match(running.err(), /127\.0\.0\.1:8081 is in use.*admin\.listen/)
})

for (const [behaviour, error] of [['throws', 'nobody caught this'], ['rejects', 'nobody awaited this']] as const) {
  t.test(`an error that nobody caught ends it loudly: ${behaviour}`, async t => {
    const running = start(t, ['start'], { STAND_IN: behaviour })
    t.equal(await running.ended, 1)
    t.match(running.err(), new RegExp(`Internal error of fotor-relay; it stops now: Error: ${error}\n +at `))
  })
}

t.test('a reader that goes away (`| head`) is no error', async t => {
  const running = start(t, ['check'])
  running.child.stdout!.destroy()
  t.equal(await running.ended, 0)
  t.notMatch(running.err(), /EPIPE/)
})
