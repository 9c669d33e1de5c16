/**
 * A full disk under the log, a log that takes nothing, a terminal that is gone
 * and a reader that has stopped to read: callbacks are answered and delivered,
 * an operator is told, a stop ends the process with 0 and a fault with 1.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { endWithUs } from '../support/children.js'
import { FAULT } from '../support/fault.js'
import { freePort } from '../support/free-port.js'
import { MAIN, type Home } from '../support/gateway.js'
import { onRedis, setScene, tasksOf } from '../support/scene.js'
import type { TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

const TERMINAL = '/usr/bin/script'

interface Stage {
  home: Home
  ingestUrl: string
  adminUrl: string
  subscriber: TestSubscriber
}

/** A gateway that can be reached without a look at its log. */
async function setStage (t: Test): Promise<Stage> {
  const scene = setScene(t)
  const [redis, subscriber, ingest, admin] = [await scene.redis(), await scene.subscriber(), await freePort(), await freePort()]
  const home = scene.home({
    ...onRedis(redis),
    ingest: { listen: `127.0.0.1:${ingest}` },
    admin: { listen: `127.0.0.1:${admin}` },
    subscribers: [{ name: 'one', url: subscriber.url }]
  })
  return { home, subscriber, ingestUrl: `http://127.0.0.1:${ingest}/webhooks/fotor`, adminUrl: `http://127.0.0.1:${admin}` }
}

/** Runs the gateway with these streams; it ends with the test. */
function startWith (t: Test, { configFile }: Home, output: number | 'pipe', env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, 'start', '--config', configFile], { env: { ...process.env, ...env }, stdio: ['ignore', output, output] })
  endWithUs(child)
  t.teardown(() => { child.kill('SIGKILL') })
  return child
}

async function untilOpen ({ adminUrl }: Stage): Promise<void> {
  await until('it is open', async () => await readyz(adminUrl).then(({ code }) => code === 200, () => false))
}

async function readyz (adminUrl: string): Promise<{ code: number, reasons: string[] }> {
  const response = await fetch(`${adminUrl}/readyz`)
  return { code: response.status, ...await response.json() as { reasons: string[] } }
}

/** Posts callbacks of these tasks, some at a time. @returns every status that was answered, once */
async function post (url: string, taskIds: readonly string[]): Promise<number[]> {
  const statuses = new Set<number>()
  for (let at = 0; at < taskIds.length; at += 20) {
    await Promise.all(taskIds.slice(at, at + 20).map(async taskId => {
      const { status } = await fetch(url, { method: 'POST', body: JSON.stringify({ taskId, status: 1, type: 'x' }) })
      statuses.add(status)
    }))
  }
  return [...statuses]
}

async function untilDelivered (subscriber: TestSubscriber, taskIds: readonly string[]): Promise<void> {
  await until('all are delivered', () => new Set(tasksOf(subscriber)).size === taskIds.length)
}

async function codeOf (child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode ?? child.signalCode
}

/** When `/readyz` says that and nothing else. @returns its status */
async function onlyReason ({ adminUrl }: Stage, what: RegExp): Promise<number> {
  return await until(`the one reason is ${what}`, async () => {
    const { code, reasons } = await readyz(adminUrl)
    return reasons.length === 1 && what.test(reasons[0]!) && code
  })
}

const tasks = (count: number): string[] => Array.from({ length: count }, (_, n) => `${'t'.repeat(200)}-${n}`)

t.test('a log that takes nothing from the first line on: it starts, takes callbacks, says so in /readyz, and stops with 0', async t => {
  const stage = await setStage(t)
  const full = openSync('/dev/full', 'w')
  t.teardown(() => { closeSync(full) })
  const child = startWith(t, stage.home, full)
  await untilOpen(stage)
  const taskIds = tasks(20)
  t.strictSame(await post(stage.ingestUrl, taskIds), [200])
  await untilDelivered(stage.subscriber, taskIds)
  t.equal(await onlyReason(stage, /^the log is not written \(ENOSPC\): \d+ lines are lost, everything else goes on$/), 200)
  child.kill('SIGTERM')
  t.equal(await codeOf(child), 0)
})

t.test('a process that decides to die dies, though nobody can be told why', async t => {
  const stage = await setStage(t)
  const full = openSync('/dev/full', 'w')
  t.teardown(() => { closeSync(full) })
  const child = startWith(t, stage.home, full, FAULT.env)
  await untilOpen(stage)
  child.kill(FAULT.signal)
  t.equal(await codeOf(child), 1)
})

t.test('a reader that has stopped to read delays neither callbacks nor the stop', async t => {
  const stage = await setStage(t)
  const child = startWith(t, stage.home, 'pipe')
  child.stdout!.pause()
  child.stderr!.pause()
  await untilOpen(stage)
  const taskIds = tasks(400)
  t.strictSame(await post(stage.ingestUrl, taskIds), [200])
  await untilDelivered(stage.subscriber, taskIds)
  child.kill('SIGTERM')
  t.equal(await codeOf(child), 0)
})

const noTerminal = !existsSync(TERMINAL) && 'needs script (util-linux)'

t.test('a terminal that is gone stops nothing', { skip: noTerminal }, async t => {
  const stage = await setStage(t)
  const { terminal, pid } = startInTerminal(t, stage.home)
  await untilOpen(stage)
  const gateway = pid()
  terminal.kill('SIGKILL')
  await once(terminal, 'exit')
  const taskIds = tasks(20)
  t.strictSame(await post(stage.ingestUrl, taskIds), [200])
  t.equal(await onlyReason(stage, /^the log is not written \(EIO\)/), 200)
  process.kill(gateway, 'SIGTERM')
  await until('it is gone', () => !isThere(gateway))
})

t.test('nor does one that was stopped, as by Ctrl-S', { skip: noTerminal }, async t => {
  const stage = await setStage(t)
  const { terminal, pid } = startInTerminal(t, stage.home)
  terminal.stdout!.pause()
  await untilOpen(stage)
  const gateway = pid()
  const taskIds = tasks(400)
  t.strictSame(await post(stage.ingestUrl, taskIds), [200])
  await untilDelivered(stage.subscriber, taskIds)
  process.kill(gateway, 'SIGTERM')
  await until('it is gone', () => !isThere(gateway))
})

/** A gateway in a terminal of its own; its pid is known once it is open. */
function startInTerminal (t: Test, { dir, configFile }: Home): { terminal: ChildProcess, pid: () => number } {
  const [pidFile, start] = [join(dir, 'pid'), join(dir, 'start.sh')]
  writeFileSync(start, `#!/bin/sh\necho $$ >${pidFile}\nexec ${process.execPath} ${MAIN} start --config ${configFile}\n`)
  chmodSync(start, 0o755)
  const terminal = spawn(TERMINAL, ['--quiet', '--flush', '--command', start, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] })
  endWithUs(terminal)
  const pid = (): number => Number(readFileSync(pidFile, 'utf8'))
  t.teardown(() => {
    terminal.kill('SIGKILL')
    try { process.kill(pid(), 'SIGKILL') } catch { /* it has ended, or never began */ }
  })
  return { terminal, pid }
}

/** Who was started by a terminal that is gone has nobody who waits for it. */
function isThere (pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
