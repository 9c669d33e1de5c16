/**
 * What waits in the spool: kept within its size, counted, found again after a
 * crash, and refused in time when the disk takes nothing.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../../support/tap.js'
import { DiskTrouble } from '../../../src/accept/spool/disk.js'
import { createOwnership } from '../../../src/accept/spool/ownership.js'
import { Stock } from '../../../src/accept/spool/stock.js'
import type { Fact } from '../../../src/model/fact.js'
import { until } from '../../support/until.js'
import { arrivalNumber, diskError, folder, watchDisk } from './folder.js'

const MB = 1024 * 1024

interface Scene { stock: Stock, dir: string, facts: Fact[] }

function setScene (t: Test, { dir = folder(t), maxBytes = 64 * MB, segmentBytes = 4 * MB } = {}): Scene {
  const facts: Fact[] = []
  const report = (fact: Fact): void => { facts.push(fact) }
  const stock = new Stock({ ownership: createOwnership(dir), trouble: new DiskTrouble(report), maxBytes, segmentBytes, report })
  t.teardown(async () => { await stock.close() })
  return { stock, dir, facts }
}

const large = (n: number): ReturnType<typeof arrivalNumber> => arrivalNumber(n, { body: Buffer.alloc(100 * 1024, 'x') })
const namesOf = (facts: Fact[]): string[] => facts.map(({ fact }) => fact)

t.test('what is kept is counted, with the time of the oldest', async t => {
  const { stock } = setScene(t)
  t.strictSame([stock.size(), stock.hasAny(), stock.problem()], [{ callbacks: 0, bytes: 0, oldestAt: null }, false, null])
  t.strictSame(await Promise.all([5, 3, 9].map(async n => await stock.keep(arrivalNumber(n)))), [{ kind: 'kept' }, { kind: 'kept' }, { kind: 'kept' }])
  t.match(stock.size(), { callbacks: 3, oldestAt: arrivalNumber(3).receivedAt })
  t.ok(stock.hasAny())
})

t.test('files come oldest first, the present one last and closed; one put last comes last', async t => {
  const { stock } = setScene(t, { segmentBytes: 300 })
  for (let n = 0; n < 5; n++) await stock.keep(arrivalNumber(n))
  const first = (await stock.next())!
  t.equal(first.oldestAt, arrivalNumber(0).receivedAt)
  stock.putLast(first)
  t.not((await stock.next())!.path, first.path)
  for (let segment = await stock.next(); segment !== null; segment = await stock.next()) stock.forget(segment)
  t.match(stock.size(), { callbacks: 0 })
})

t.test('it takes no more than it may, says so once, and takes again when there is room', async t => {
  const { stock, facts, dir } = setScene(t, { maxBytes: MB, segmentBytes: 200 * 1024 })
  const kept = await Promise.all(Array.from({ length: 30 }, async (_, n) => await stock.keep(large(n))))
  t.equal(kept.filter(({ kind }) => kind === 'kept').length, 10)
  t.match(kept.at(-1), { kind: 'not-kept', reason: 'it is full' })
  await stock.keep(arrivalNumber(30, { body: Buffer.alloc(16 * 1024) }))
  t.equal(stock.problem(), 'it is full')
  const onDisk = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
  t.ok(onDisk <= MB + 1_024, `${onDisk} bytes on the disk`)
  t.strictSame(namesOf(facts), ['spool.full'])
  t.match(facts, [{ maxBytes: MB }])

  stock.forget((await stock.next())!)
  t.equal(stock.problem(), null)
  t.match(await stock.keep(large(31)), { kind: 'kept' })
  while ((await stock.keep(large(32))).kind === 'kept');
  t.strictSame(namesOf(facts), ['spool.full', 'spool.full'], 'and says so again when it is full again')
})

t.test('a small callback that fits is kept although a large one was refused', async t => {
  const { stock } = setScene(t, { maxBytes: MB })
  t.match(await stock.keep(arrivalNumber(1, { body: Buffer.alloc(2 * MB) })), { kind: 'not-kept' })
  t.match(await stock.keep(arrivalNumber(2)), { kind: 'kept' })
})

t.test('a folder that cannot be made refuses at once, is told once without its path, and is used when it can be', async t => {
  const place = join(folder(t), 'place')
  writeFileSync(place, 'not a directory')
  const { stock, facts } = setScene(t, { dir: join(place, 'spool') })
  t.strictSame(await stock.takeOver(), { callbacks: 0, bytes: 0, oldestAt: null })
  for (let n = 0; n < 3; n++) t.match(await stock.keep(arrivalNumber(n)), { kind: 'not-kept', reason: /^ENOTDIR: not a directory$/ })
  t.match(await stock.tryDisk(), /^ENOTDIR/)
  t.strictSame(facts, [{ fact: 'spool.trouble', error: 'ENOTDIR: not a directory', file: null }])

  rmSync(place)
  t.equal(await stock.tryDisk(), null)
  t.match(await stock.keep(arrivalNumber(1)), { kind: 'kept' })
  t.strictSame(namesOf(facts), ['spool.trouble', 'spool.mended'])
})

t.test('a folder without permission refuses', { skip: process.getuid?.() === 0 && 'root may write everywhere' }, async t => {
  const dir = folder(t)
  chmodSync(dir, 0o500)
  t.teardown(() => { chmodSync(dir, 0o700) })
  t.match(await setScene(t, { dir }).stock.keep(arrivalNumber(1)), { kind: 'not-kept', reason: /^EACCES/ })
})

t.test('a disk that is full refuses, keeps what it had, and takes again', async t => {
  const { stock, facts, dir } = setScene(t)
  await stock.keep(arrivalNumber(1))
  const disk = await watchDisk(t, process.execPath)
  disk.on('write', async () => { throw diskError('ENOSPC', 'no space left on device') })
  t.strictSame(await stock.keep(arrivalNumber(2)), { kind: 'not-kept', reason: 'ENOSPC: no space left on device' })
  t.equal(stock.problem(), 'ENOSPC: no space left on device')
  disk.on('write', null)
  t.match(await stock.keep(arrivalNumber(3)), { kind: 'kept' })
  t.match(stock.size(), { callbacks: 2 })
  t.strictSame(namesOf(facts), ['spool.trouble', 'spool.mended'])
  t.equal(readdirSync(dir, { recursive: true }).filter(name => String(name).endsWith('.spool')).length, 2)
})

/** A file system of its own, this small; `null` where that may not be made. */
function smallFileSystem (t: Test, kilobytes: number): string | null {
  const path = folder(t)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path], { stdio: 'ignore' })
  } catch { return null }
  t.teardown(() => { execFileSync('umount', ['-l', path]) })
  return path
}

t.test('a file system that really is full', async t => {
  const dir = smallFileSystem(t, 1_024)
  if (dir === null) {
    t.pass('this user may not mount one')
    return
  }
  const { stock, facts } = setScene(t, { dir, segmentBytes: 200 * 1024 })
  await stock.takeOver()
  let kept = 0
  while ((await stock.keep(large(kept))).kind === 'kept') kept++
  t.ok(kept >= 6 && kept < 10, `${kept} callbacks of 100 kB in 1 MB`)
  t.match(facts, [{ fact: 'spool.trouble', error: /^ENOSPC/ }])
  t.match(await stock.tryDisk(), /^ENOSPC/, 'it is known before the next callback comes')
  t.match(stock.size(), { callbacks: kept }, 'nothing that was kept is lost')
  await stock.close()
  t.match(await setScene(t, { dir }).stock.takeOver(), { callbacks: kept }, 'nor by the next owner, who finds the disk as full')
})

t.test('a disk that hangs is not waited for, and what waits in memory is bounded', async t => {
  const { stock } = setScene(t, { maxBytes: 1_000 * MB })
  await stock.keep(arrivalNumber(0))
  const disk = await watchDisk(t, process.execPath)
  let release = (): void => {}
  const hung = new Promise<void>(resolve => { release = resolve })
  disk.on('datasync', async proceed => {
    await hung
    return await proceed()
  })
  const body = Buffer.alloc(MB)
  const told: string[] = []
  await Promise.all(Array.from({ length: 100 }, async (_, n) => {
    const kept = await stock.keep(arrivalNumber(n, { body }))
    told.push(kept.kind === 'kept' ? 'kept' : kept.reason)
  }))
  t.strictSame([...new Set(told)], ['the disk is too slow', 'the disk took longer than 3000 ms'], 'while it hangs')
  t.strictSame(told, told.toSorted(), 'and those at once for whom there is no place')
  t.ok(told.filter(reason => reason === 'the disk is too slow').length >= 36)
  release()
  disk.on('datasync', null)
  await until('it takes again', async () => (await stock.keep(arrivalNumber(101))).kind === 'kept')
})

t.test('what a crash left is found, counted and told apart from what is new', async t => {
  const before = setScene(t)
  await before.stock.keep(arrivalNumber(1))
  await before.stock.keep(arrivalNumber(2))
  // As after a crash: the directory is there, its owner is not.
  const dir = folder(t)
  const [own] = readdirSync(before.dir)
  renameSync(join(before.dir, own!), join(dir, own!))
  rmSync(join(dir, own!, 'gateway.lock'))

  const { stock } = setScene(t, { dir })
  await stock.keep(arrivalNumber(3))
  t.match(await stock.takeOver(), { callbacks: 2, oldestAt: arrivalNumber(1).receivedAt })
  t.match(stock.size(), { callbacks: 3 })
  t.match(await stock.takeOver(), { callbacks: 0 }, 'once')
  t.match(stock.size(), { callbacks: 3 })
})

t.test('a file of a newer release is told once and left where it is', async t => {
  const dir = folder(t)
  const left = join(dir, '01ARZ3NDEKTSV4RRFFQ69G5FAV')
  mkdirSync(left)
  const { crc32 } = await import('node:zlib')
  const header = Buffer.alloc(64)
  header.write('relay-spool v2\n')
  header.writeUInt32LE(crc32(header.subarray(0, 24)), 24)
  writeFileSync(join(left, 'a.spool'), header)
  const { stock, facts } = setScene(t, { dir })
  await stock.takeOver()
  await stock.takeOver()
  t.match(facts, [{ fact: 'spool.trouble', error: /newer release/, file: /a\.spool$/ }])
  t.equal(facts.length, 1)
  t.strictSame(readFileSync(String((facts[0] as { file: string }).file)), header)
  t.equal(stock.hasAny(), false)
  t.equal(stock.unreachable(), 1, 'its callbacks wait for nobody')
})

t.test('what cannot be taken over is told once, ends with nothing but itself, and does not count against the disk', async t => {
  const { stock, facts, dir } = setScene(t)
  await stock.keep(arrivalNumber(1))
  const left = join(dir, '01ARZ3NDEKTSV4RRFFQ69G5FAV')
  mkdirSync(join(left, 'not-to-be-read.spool'), { recursive: true }) // as a file it cannot be read
  await stock.takeOver()
  await stock.tryDisk()
  await stock.keep(arrivalNumber(2))
  await stock.takeOver()
  t.equal(stock.problem(), null, 'callbacks are kept')
  t.equal(stock.unreachable(), 1)
  t.match(facts, [{ fact: 'spool.trouble', error: /^EISDIR/, file: /not-to-be-read\.spool$/ }], 'and the disk, which works, mends nothing')
  t.equal(facts.length, 1)

  const [own] = readdirSync(dir).filter(name => name !== 'reserve')
  rmSync(join(dir, own!, 'not-to-be-read.spool'), { recursive: true })
  await stock.takeOver()
  t.equal(stock.unreachable(), 0)
})

t.test('closed, it keeps nothing more, and what it had is on the disk', async t => {
  const { stock, dir } = setScene(t)
  const kept = stock.keep(arrivalNumber(1))
  await stock.close()
  t.match(await kept, { kind: 'kept' })
  t.match(await stock.keep(arrivalNumber(2)), { kind: 'not-kept' })
  await stock.close()
  const next = setScene(t, { dir })
  t.match(await next.stock.takeOver(), { callbacks: 1 })
})
