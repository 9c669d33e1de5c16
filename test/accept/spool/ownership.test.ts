/**
 * Each process has a directory of its own in the spool; that of a dead one is
 * emptied by exactly one other, that of a living one by nobody.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from '../../support/tap.js'
import { createOwnership, type Ownership } from '../../../src/accept/spool/ownership.js'
import { createSegment } from '../../../src/accept/spool/segment.js'
import { entryOf } from '../../../src/accept/spool/record.js'
import { sortableId } from '../../../src/model/sortable-id.js'
import { programAt } from '../../support/program.js'
import { arrivalNumber, folder } from './folder.js'

function owner (t: Test, dir: string): Ownership {
  const ownership = createOwnership(dir)
  t.teardown(() => { ownership.release() })
  return ownership
}

/** The directories of owners, living and dead. */
function ownersIn (dir: string): string[] {
  return readdirSync(dir).filter(name => name !== 'reserve')
}

/** A file with one callback. */
async function putSegment (directory: string): Promise<string> {
  const open = await createSegment(directory)
  await open.append([entryOf(arrivalNumber(1))])
  await open.close()
  return basename(open.segment.path)
}

/** A directory as a process that died long ago left it. */
async function deadOwner (dir: string): Promise<{ path: string, file: string }> {
  const path = join(dir, sortableId(Date.now()))
  mkdirSync(path, { recursive: true, mode: 0o700 })
  writeFileSync(join(path, 'gateway.lock'), JSON.stringify({ id: 'the-dead', namespace: 'pid:[1]', pid: 1, startedAt: '' }))
  return { path, file: await putSegment(path) }
}

const OWNER = programAt(import.meta.url, './fixtures/owner.ts')

/** A uid without an entry among the users, as `docker run --user 54321` has it. */
const NAMELESS = 54_321

/** Whether a process of this user could not even run. */
function mayNotBecome (uid: number): boolean {
  if (process.getuid?.() !== 0) return true
  return spawnSync(process.execPath, ['--eval', `fs.readFileSync(${JSON.stringify(OWNER)})`], { uid, gid: uid, stdio: 'ignore' }).status !== 0
}

/** @param uid  whom it runs as, and then it takes over what it finds; us, when left out */
async function startOwner (t: Test, dir: string, uid?: number): Promise<{ child: ChildProcess, keep: (n: number) => Promise<void> }> {
  const as = uid === undefined ? {} : { uid, gid: uid, env: { PATH: process.env['PATH'] } }
  const child = spawn(process.execPath, [OWNER, dir, ...uid === undefined ? [] : ['4000000', 'heir']], { ...as, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  await lines.next()
  return {
    child,
    async keep (n) {
      child.stdin!.write(`${n}\n`)
      await lines.next()
    }
  }
}

t.test('a directory of its own, private, and gone again when it is empty', async t => {
  const dir = join(folder(t), 'not', 'there')
  const ownership = owner(t, dir)
  const path = await ownership.directory()
  t.equal(await ownership.directory(), path)
  for (const made of [dir, path]) t.equal(statSync(made).mode & 0o777, 0o700)
  ownership.release()
  ownership.release()
  t.strictSame(readdirSync(dir), [])
})

t.test('what lies in it stays, and the next owner takes it over', async t => {
  const dir = folder(t)
  const first = owner(t, dir)
  const file = await putSegment(await first.directory())
  first.release()
  const second = owner(t, dir)
  t.match(await second.takeOver(), { files: [join(await second.directory(), file)], left: [] })
  t.strictSame(ownersIn(dir), [basename(await second.directory())])
})

t.test('two that live leave each other alone', async t => {
  const dir = folder(t)
  const [one, other] = [owner(t, dir), owner(t, dir)]
  const file = await putSegment(await one.directory())
  t.not(await one.directory(), await other.directory())
  t.strictSame(await other.takeOver(), { files: [], left: [] })
  t.ok(existsSync(join(await one.directory(), file)))
})

t.test('of two processes on one folder each keeps its own; when one is killed, the other takes it over', async t => {
  const dir = folder(t)
  const [first, second] = [await startOwner(t, dir), owner(t, dir)]
  await first.keep(7)
  await second.directory()
  t.strictSame((await second.takeOver()).files, [], 'while it lives')
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  t.equal((await second.takeOver()).files.length, 1, 'and when it is dead')
  t.strictSame(ownersIn(dir), [basename(await second.directory())])
})

t.test('of several that want what a dead one left, one gets it', async t => {
  for (let round = 0; round < 20; round++) {
    const dir = folder(t)
    const { file } = await deadOwner(dir)
    const owners = Array.from({ length: 4 }, () => owner(t, dir))
    const found = await Promise.all(owners.map(async one => (await one.takeOver()).files))
    t.strictSame(found.flat().map(path => basename(path)), [file])
    for (const one of owners) one.release()
  }
})

t.test('a directory that somebody removed is made again, under another name', async t => {
  const dir = folder(t)
  const ownership = owner(t, dir)
  const before = await ownership.directory()
  rmSync(dir, { recursive: true })
  const after = await ownership.directory()
  t.not(after, before)
  t.ok(existsSync(join(after, 'gateway.lock')))
})

t.test('one that is about to be locked is left to its maker; one that never was is removed', async t => {
  const dir = folder(t)
  const young = join(dir, sortableId(Date.now()))
  mkdirSync(young)
  const ownership = owner(t, dir)
  await ownership.takeOver()
  t.ok(existsSync(young))
  utimesSync(young, new Date(0), new Date(0))
  await ownership.takeOver()
  t.notOk(existsSync(young))
})

t.test('what is not a directory of a spool is left alone', async t => {
  const dir = folder(t)
  for (const name of ['set-aside', 'lost+found', 'notes']) mkdirSync(join(dir, name))
  const { path } = await deadOwner(folder(t))
  symlinkSync(path, join(dir, sortableId(Date.now())))
  writeFileSync(join(dir, sortableId(Date.now())), 'a file')
  t.strictSame(await owner(t, dir).takeOver(), { files: [], left: [] }, 'a link may lead anywhere')
})

t.test('what another user put there is not believed', { skip: process.getuid?.() !== 0 && 'only root can make a file of another user' }, async t => {
  const dir = folder(t)
  const { path } = await deadOwner(dir)
  chownSync(path, 12_345, 12_345)
  const good = await deadOwner(dir)
  const { files, left } = await owner(t, dir).takeOver()
  t.strictSame(files.map(file => basename(file)), [good.file], 'and keeps nothing else from being taken over')
  t.match(left, [{ path, error: { message: /^it belongs to uid 12345 and this process is uid 0/ }, mayHold: true }], 'it is told')
  rmSync(join(path, readdirSync(path).find(name => name.endsWith('.spool'))!))
  t.strictSame((await owner(t, dir).takeOver()).left, [], 'unless nothing lies there')
})

t.test('one directory that cannot be taken over does not keep the others', async t => {
  const dir = folder(t)
  const bad = await deadOwner(dir)
  mkdirSync(join(bad.path, 'gateway.lock.here-x', 'not-empty'), { recursive: true }) // cannot be removed as a file
  const good = await deadOwner(dir)
  const { files, left } = await owner(t, dir).takeOver()
  t.strictSame(files.map(path => basename(path)).sort(), [bad.file, good.file].sort())
  t.match(left, [{ path: bad.path, error: { code: /.+/ }, mayHold: false }], 'and it is told; nothing of it waits')
})

t.test('a user that the system has no name for takes over its own', { skip: mayNotBecome(NAMELESS) && 'only root can become another user, and only where that one can read this program' }, async t => {
  const dir = mkdtempSync('/tmp/relay-spool-') // that of this suite is for its own user
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  chownSync(dir, NAMELESS, NAMELESS)
  const first = await startOwner(t, dir, NAMELESS)
  await first.keep(7)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  await startOwner(t, dir, NAMELESS)
  const [heir, ...others] = ownersIn(dir)
  t.strictSame(others, [], 'one directory is left, that of the heir')
  t.equal(readdirSync(join(dir, heir!)).filter(name => name.endsWith('.spool')).length, 1, 'with what the first one kept')
})

t.test('a place that can hold no directory is refused with the reason of the file system', async t => {
  const file = join(folder(t), 'a-file')
  writeFileSync(file, '')
  await t.rejects(owner(t, join(file, 'spool')).directory(), { code: 'ENOTDIR' })
})
