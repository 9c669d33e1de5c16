/**
 * Many callbacks share one sync, none is called safe before its own, and a
 * write that failed costs nobody else anything.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../../support/tap.js'
import { entryOf } from '../../../src/accept/spool/record.js'
import { openForDraining, type Segment } from '../../../src/accept/spool/segment.js'
import { Writer } from '../../../src/accept/spool/writer.js'
import { arrivalNumber, diskError, folder, numberOf, watchDisk, type Disk } from './folder.js'

interface Scene { writer: Writer, directory: string, sealed: Segment[], disk: Disk, append: (n: number) => Promise<void> }

async function setScene (t: Test, segmentBytes?: number): Promise<Scene> {
  const directory = folder(t)
  const sealed: Segment[] = []
  const writer = new Writer({
    directory: async () => directory,
    onSealed: segment => { sealed.push(segment) },
    ...(segmentBytes === undefined ? {} : { segmentBytes })
  })
  const disk = await watchDisk(t, directory)
  t.teardown(async () => { await writer.seal() })
  return { writer, directory, sealed, disk, append: async n => { await writer.append(entryOf(arrivalNumber(n))) } }
}

/** The numbers in every file of a directory, file by file. */
async function numbersIn (directory: string): Promise<number[]> {
  const files: number[][] = []
  for (const name of readdirSync(directory)) {
    const file = await openForDraining(join(directory, name))
    await file.close()
    files.push(file.pieces.map(piece => piece.kind === 'record' ? numberOf(piece.arrival) : NaN))
  }
  return files.sort(([one = 0], [other = 0]) => one - other).flat()
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)

t.test('a thousand callbacks that come while one is being synced share the next sync', async t => {
  const { writer, directory, disk, append } = await setScene(t)
  await append(0)
  const before = disk.calls.datasync
  const first = append(1)
  const rest = range(2, 1_002).map(append)
  await Promise.all([first, ...rest])
  t.ok(disk.calls.datasync - before <= 3, `${disk.calls.datasync - before} syncs`)
  t.equal(writer.waitingBytes(), 0)
  t.match(writer.current(), { callbacks: 1_002 })
  t.strictSame(await numbersIn(directory), range(0, 1_002), 'in the order in which they came')
})

t.test('none is safe before a sync that began after it came', async t => {
  const { disk, append } = await setScene(t)
  await append(0)
  const began: number[] = []
  let syncs = 0
  disk.on('datasync', async proceed => {
    began.push(++syncs)
    return await proceed()
  })
  const safeAfter = new Map<number, number>()
  const cameBefore = new Map<number, number>()
  await Promise.all(range(1, 200).map(async n => {
    for (let wait = 0; wait < n % 7; wait++) await Promise.resolve()
    cameBefore.set(n, syncs)
    await append(n)
    safeAfter.set(n, syncs)
  }))
  t.strictSame(range(1, 200).filter(n => safeAfter.get(n)! <= cameBefore.get(n)!), [])
})

t.test('a file that is large enough is followed by the next', async t => {
  const { writer, sealed, directory, append } = await setScene(t, 1_024)
  for (const n of range(0, 20)) await append(n)
  await writer.seal()
  t.ok(sealed.length > 1 && sealed.every(({ bytes }) => bytes < 2_048), `${sealed.length} files`)
  t.equal(sealed.reduce((sum, { callbacks }) => sum + callbacks, 0), 20)
  t.strictSame(await numbersIn(directory), range(0, 20))
})

t.test('a batch that the disk refuses twice is refused, with nothing left of it; the next has a new file', async t => {
  const { writer, sealed, directory, disk, append } = await setScene(t)
  await append(0)
  disk.on('datasync', async () => { throw diskError('EIO') })
  const refused = await Promise.allSettled(range(1, 5).map(append))
  t.strictSame(refused.map(({ status }) => status), ['rejected', 'rejected', 'rejected', 'rejected'])
  t.equal(writer.current(), null)
  t.equal(writer.waitingBytes(), 0)
  disk.on('datasync', null)
  await append(5)
  t.strictSame(await numbersIn(directory), [0, 5])
  t.match(sealed, [{ callbacks: 1 }], 'what was safe before is still counted')
})

t.test('a file whose sync failed once is never written to again: the batch goes to another', async t => {
  const { writer, sealed, directory, disk, append } = await setScene(t)
  await append(0)
  const before = writer.current()!.path
  let failures = 1
  disk.on('datasync', async proceed => {
    if (failures-- > 0) throw diskError('EIO')
    return await proceed()
  })
  await append(1)
  t.not(writer.current()!.path, before)
  t.match(sealed, [{ path: before, callbacks: 1 }])
  t.strictSame(await numbersIn(directory), [0, 1])
})

t.test('files that somebody removed under it are noticed before anything in them is called safe', async t => {
  const { writer, directory, append } = await setScene(t)
  await append(0)
  rmSync(writer.current()!.path)
  await append(1)
  t.strictSame(await numbersIn(directory), [1])
})

t.test('a directory that goes away refuses, and takes again when it is back', async t => {
  const { directory, append } = await setScene(t)
  rmSync(directory, { recursive: true })
  await t.rejects(append(0), { code: 'ENOENT' })
  mkdirSync(directory)
  await append(1)
  t.strictSame(await numbersIn(directory), [1])
})

t.test('sealing waits for what is being written, and leaves no empty file', async t => {
  const { writer, sealed, directory, append } = await setScene(t)
  const appended = append(0)
  await Promise.all([appended, writer.seal()])
  t.match(sealed, [{ callbacks: 1 }])
  await writer.seal()
  t.equal(sealed.length, 1)
  t.strictSame(await numbersIn(directory), [0])
})

t.test('what is done between writes has the file for itself', async t => {
  const { writer, append } = await setScene(t)
  await append(0)
  const size = writer.current()!.bytes
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  const between = writer.between(async () => {
    await held
    return writer.current()!.bytes
  })
  const appended = append(1)
  release()
  t.equal(await between, size)
  await appended
})
