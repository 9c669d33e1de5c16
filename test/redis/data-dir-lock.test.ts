/**
 * A data directory has one owner: while that lives nobody else gets in, and
 * when it is dead exactly one does.
 */
import t, { type Test } from '../support/tap.js'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDataDir } from '../../src/redis/data-dir-lock.js'
import { processNamespace, showPresence } from '../../src/redis/presence.js'
import { markOf } from '../../src/redis/process-mark.js'
import { run } from './fixtures/run.js'

function directory (t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'relay-lock-'))
  t.teardown(() => { rmSync(path, { recursive: true, force: true }) })
  return path
}

/** A record as an owner leaves it; by default that of a dead one. */
function record (changes: object = {}): string {
  return JSON.stringify({ id: 'the-dead', namespace: processNamespace(), pid: 2 ** 22 + 1, startedAt: 'long ago', ...changes })
}

function ownerIn (dataDir: string): { pid: number } {
  return JSON.parse(readFileSync(join(dataDir, 'gateway.lock'), 'utf8'))
}

const IN_USE = { code: 'DATA_DIR_IN_USE', message: new RegExp(`gateway with pid ${process.pid}:`) }

t.test('an owner that lives is not disturbed, and is named', async t => {
  const dataDir = directory(t)
  const lock = await lockDataDir(dataDir)
  await t.rejects(lockDataDir(dataDir), IN_USE)
  lock.release()
  const next = await lockDataDir(dataDir)
  lock.release()
  await t.rejects(lockDataDir(dataDir), IN_USE, 'who let go twice takes nothing from the next')
  next.release()
  t.strictSame(readdirSync(dataDir), [], 'and nothing is left behind')
})

/** What a crashed owner may leave in `gateway.lock`. */
const STALE: ReadonlyArray<[says: string, left: () => Promise<string> | string]> = [
  ['a dead owner', () => record()],
  ['a dead owner whose id another process has now', async () => record({ ...await markOf(process.pid), startedAt: 'earlier' })],
  ['a dead owner in another container', () => record({ namespace: 'pid:[1]' })],
  ['a record cut short by a power loss', () => record().slice(0, 20)],
  ['an empty record', () => '']
]
for (const [says, left] of STALE) {
  t.test(`${says} is replaced`, async t => {
    const dataDir = directory(t)
    writeFileSync(join(dataDir, 'gateway.lock'), await left())
    const lock = await lockDataDir(dataDir)
    t.equal(ownerIn(dataDir).pid, process.pid)
    await t.rejects(lockDataDir(dataDir), IN_USE)
    lock.release()
    t.strictSame(readdirSync(dataDir), [])
  })
}

t.test('a successor that died before it had taken over is followed by the next', async t => {
  const dataDir = directory(t)
  writeFileSync(join(dataDir, 'gateway.lock'), record())
  writeFileSync(join(dataDir, 'gateway.lock.after-the-dead'), record({ id: 'the-next' }))
  const lock = await lockDataDir(dataDir)
  t.equal(ownerIn(dataDir).pid, process.pid)
  lock.release()
})

t.test('a successor that lives and has not yet taken over is the owner', async t => {
  const dataDir = directory(t)
  writeFileSync(join(dataDir, 'gateway.lock'), record())
  writeFileSync(join(dataDir, 'gateway.lock.after-the-dead'), record({ id: 'the-next', ...await markOf(process.pid) }))
  await t.rejects(lockDataDir(dataDir), IN_USE)
})

t.test('an owner in another container that lives is not disturbed', async t => {
  const dataDir = join(directory(t), 'a'.repeat(120))
  mkdirSync(dataDir)
  const withdraw = await showPresence(dataDir, 'the-other')
  t.teardown(withdraw)
  writeFileSync(join(dataDir, 'gateway.lock'), record({ id: 'the-other', namespace: 'pid:[1]', pid: 7 }))
  await t.rejects(lockDataDir(dataDir), { code: 'DATA_DIR_IN_USE', message: /gateway with pid 7:/ })
  withdraw()
  const lock = await lockDataDir(dataDir)
  lock.release()
})

t.test('what crashed contenders left is removed in time', async t => {
  const dataDir = directory(t)
  for (const name of ['gateway.lock.new-x', 'gateway.lock.after-x', 'gateway.lock.here-x', 'something-else']) {
    writeFileSync(join(dataDir, name), '')
    utimesSync(join(dataDir, name), 0, 0)
  }
  linkSync(join(dataDir, 'something-else'), join(dataDir, 'another'))
  const lock = await lockDataDir(dataDir)
  lock.release()
  t.strictSame(readdirSync(dataDir).sort(), ['another', 'something-else'])
})

t.test('of many that come at the same instant exactly one wins, also over a dead owner', async t => {
  const root = directory(t)
  const contenders = Array.from({ length: 4 }, () => run('contender'))
  t.teardown(async () => { await Promise.all(contenders.map(async one => { await one.end('SIGKILL') })) })
  await Promise.all(contenders.map(async one => await one.line()))
  for (let round = 0; round < 60; round++) {
    const dataDir = join(root, String(round))
    mkdirSync(dataDir)
    if (round % 2 === 0) writeFileSync(join(dataDir, 'gateway.lock'), record())
    for (const { process } of contenders) process.stdin!.write(dataDir + '\n')
    const answers = await Promise.all(contenders.map(async one => await one.line()))
    t.strictSame(answers.sort(), ['DATA_DIR_IN_USE', 'DATA_DIR_IN_USE', 'DATA_DIR_IN_USE', 'won'])
  }
})
