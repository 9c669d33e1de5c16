/**
 * Promise 1 with the disk of Redis full: its server ends rather than forget,
 * callbacks go to the spool on another disk, and all is well when there is
 * room again.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { answerToRepeat, areTaken, hasAll, sendOnce, statusesOf, type Sent } from '../support/outage.js'
import { logged, seeReadiness, setScene, untilNothingIsOpen } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

function mount (dir: string): void {
  mkdirSync(dir, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=700', 'tmpfs', dir], { stdio: 'ignore' })
}

function unmount (dir: string): void {
  execFileSync('umount', ['-l', dir])
}

/** Most users may not. */
function mayMount (): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'relay-disk-'))
  try {
    mount(dir)
    unmount(dir)
    return true
  } catch {
    return false
  } finally {
    rmdirSync(dir)
  }
}

/** A small disk of its own. */
function smallDisk (t: Test, dir: string): { resize: (size: string) => void } {
  mount(dir)
  t.teardown(() => { unmount(dir) })
  return { resize (size) { execFileSync('mount', ['-o', `remount,size=${size}`, dir]) } }
}

t.test('the disk of the own Redis is full: callbacks are spooled elsewhere, and everything arrives when there is room', { skip: mayMount() ? false : 'no disk may be mounted here' }, async t => {
  const scene = setScene(t)
  const subscriber = await scene.subscriber(answers.status(500))
  const settings = { spool: {}, subscribers: [{ name: 'a', url: subscriber.url, retry: ['1h'] }] }
  const home = scene.home({})
  const disk = smallDisk(t, join(home.dir, 'data'))
  home.configure({ ...settings, spool: { dir: join(home.dir, 'spool') } })
  const gateway = await scene.process(home)
  const sent: Sent[] = [await sendOnce(gateway, 'first')]

  const ballast = join(home.dir, 'data', 'appendonlydir', 'ballast')
  try { writeFileSync(ballast, Buffer.alloc(64 * 1024 * 1024)) } catch { /* it is full now */ }
  const isLost = ({ msg, state }: Record<string, unknown>): boolean => msg === 'redis.state' && state === 'lost'
  await until('the server has ended', async () => {
    sent.push(await sendOnce(gateway, `filling-${sent.length}`))
    return gateway.log.some(isLost)
  })
  for (let n = 0; n < 20; n++) sent.push(await sendOnce(gateway, `full-${n}`))
  t.strictSame(statusesOf(sent.slice(-20)), ['spooled'], 'while the disk is full')
  t.ok(areTaken(sent))
  t.match(await logged(gateway, isLost), { level: 'warn' })
  t.match(await seeReadiness(gateway), { code: 200, status: 'degraded' })

  const full = gateway.log.length
  rmSync(ballast)
  disk.resize('64m')
  subscriber.behave(answers.ok)
  await logged(gateway, ({ msg }) => msg === 'spool.drained', full)
  await gateway.api('POST', '/api/v1/replays', { subscriber: 'a', state: 'retrying' })
  await until(() => hasAll(subscriber, sent) || undefined)
  await untilNothingIsOpen(gateway)
  t.equal(await answerToRepeat(gateway, 'first'), 'duplicate')
})
