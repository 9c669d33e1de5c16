/**
 * A file of the spool: what was called safe is in it, and is read again
 * whatever has become of the rest.
 */
import { deepStrictEqual } from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../../support/tap.js'
import { entryOf } from '../../../src/accept/spool/record.js'
import { createSegment, HEADER_BYTES, NewerSegment, openForDraining, surveySegment } from '../../../src/accept/spool/segment.js'
import { arrivalNumber, diskError, folder, numberOf, watchDisk } from './folder.js'

const entries = (...numbers: number[]): Array<ReturnType<typeof entryOf>> => numbers.map(n => entryOf(arrivalNumber(n)))

/** A closed file with these callbacks. */
async function segmentOf (t: Test, ...numbers: number[]): Promise<string> {
  const open = await createSegment(folder(t))
  for (const n of numbers) await open.append(entries(n))
  await open.close()
  return open.segment.path
}

/** What is read of a file: numbers of records, and the kind of what is none. */
async function read (path: string): Promise<Array<number | string>> {
  const file = await openForDraining(path)
  await file.close()
  return file.pieces.map(piece => piece.kind === 'record' ? numberOf(piece.arrival) : piece.kind)
}

t.test('what was appended is counted, read and surveyed, and for its owner alone', async t => {
  const directory = folder(t)
  const open = await createSegment(directory)
  await open.append(entries(5, 3))
  await open.append(entries(4))
  t.match(open.segment, { callbacks: 3, oldestAt: arrivalNumber(3).receivedAt, bytes: statSync(open.segment.path).size })
  await open.close()
  t.strictSame(await read(open.segment.path), [5, 3, 4])
  t.strictSame(await surveySegment(open.segment.path), open.segment)
  t.equal(statSync(open.segment.path).mode & 0o777, 0o600)
})

t.test('an append is over when its sync is, not before', async t => {
  const open = await createSegment(folder(t))
  const disk = await watchDisk(t, open.segment.path)
  let synced = (): void => {}
  const held = new Promise<void>(resolve => { synced = resolve })
  const asked = new Promise<void>(resolve => {
    disk.on('datasync', async proceed => {
      resolve()
      await held
      return await proceed()
    })
  })
  let isSafe = false
  const appended = open.append(entries(1)).then(() => { isSafe = true })
  await asked
  t.equal(statSync(open.segment.path).size, HEADER_BYTES + entries(1)[0]!.bytes, 'all of it is written')
  t.equal(isSafe, false, 'and it is not called safe')
  synced()
  await appended
  await open.close()
})

for (const [call, code] of [['datasync', 'EIO'], ['write', 'ENOSPC']] as const) {
  t.test(`an append whose ${call} fails is refused, and cut off again`, async t => {
    const open = await createSegment(folder(t))
    await open.append(entries(1))
    const { size } = statSync(open.segment.path)
    const disk = await watchDisk(t, open.segment.path)
    disk.on(call, async () => { throw diskError(code) })
    await t.rejects(open.append(entries(2)), { code })
    await open.close()
    t.equal(statSync(open.segment.path).size, size)
    t.strictSame(await read(open.segment.path), [1])
    t.equal(open.segment.callbacks, 1)
  })
}

t.test('nothing is safe in a file that somebody removed', async t => {
  const open = await createSegment(folder(t))
  await open.append(entries(1))
  rmSync(open.segment.path)
  await t.rejects(open.append(entries(2)), { code: 'ENOENT' })
  await open.close()
})

t.test('a directory that cannot be written to gets no half of a file', async t => {
  const directory = folder(t)
  await t.rejects(createSegment(join(directory, 'missing')), { code: 'ENOENT' })
  const disk = await watchDisk(t, directory)
  disk.on('write', async () => { throw diskError('ENOSPC') })
  await t.rejects(createSegment(directory), { code: 'ENOSPC' })
  t.strictSame(readdirSync(directory), [])
})

t.test('cut off at any byte, every record before it is read and nothing is damage', async t => {
  const path = await segmentOf(t, 1, 2, 3)
  const whole = readFileSync(path)
  const one = entries(1)[0]!.bytes
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length))
    const records = Math.max(0, Math.floor((length - HEADER_BYTES) / one))
    const isTorn = length < HEADER_BYTES ? length > 0 : (length - HEADER_BYTES) % one !== 0
    deepStrictEqual(await read(path), [...[1, 2, 3].slice(0, records), ...(isTorn ? ['torn'] : [])], `${length} bytes`)
    deepStrictEqual((await surveySegment(path)).callbacks, records)
  }
  t.pass(`${whole.length + 1} lengths`)
})

t.test('with any bit of the head flipped, every record is read', async t => {
  const path = await segmentOf(t, 1, 2, 3)
  const whole = readFileSync(path)
  for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
    const damaged = Buffer.from(whole)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    writeFileSync(path, damaged)
    deepStrictEqual(await read(path), [1, 2, 3], `bit ${bit}`)
  }
  t.pass(`${HEADER_BYTES * 8} flips`)
})

t.test('what is drained is not read again, unless the note of it is damaged', async t => {
  const path = await segmentOf(t, 1, 2, 3)
  const file = await openForDraining(path)
  await file.advance(file.pieces[1]!.end)
  await file.close()
  t.strictSame(await read(path), [3])
  t.match(await surveySegment(path), { callbacks: 1, oldestAt: arrivalNumber(3).receivedAt })

  const noted = readFileSync(path)
  for (let bit = 32 * 8; bit < 40 * 8; bit++) {
    const damaged = Buffer.from(noted)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    writeFileSync(path, damaged)
    deepStrictEqual(await read(path), [1, 2, 3], `bit ${bit}`)
  }
})

t.test('a file is removed only as it was read', async t => {
  const open = await createSegment(folder(t))
  await open.append(entries(1))
  const early = await openForDraining(open.segment.path)
  await open.append(entries(2))
  t.equal(await early.remove(), false, 'somebody still wrote to it')
  await early.close()
  const late = await openForDraining(open.segment.path)
  t.equal(await late.remove(), true)
  await late.close()
  await open.close()
  t.strictSame(readdirSync(join(open.segment.path, '..')), [])
})

t.test('a file of a newer release is left alone', async t => {
  const path = await segmentOf(t, 1)
  const bytes = readFileSync(path)
  bytes.write('relay-spool v2\n')
  const { crc32 } = await import('node:zlib')
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24)
  writeFileSync(path, bytes)
  await t.rejects(openForDraining(path), NewerSegment)
  await t.rejects(surveySegment(path), NewerSegment)
})

t.test('a file that may only be read is drained all the same', { skip: process.getuid?.() === 0 && 'root may write everything' }, async t => {
  const path = await segmentOf(t, 1, 2)
  chmodSync(path, 0o400)
  t.strictSame(await read(path), [1, 2])
})

t.test('a file that was moved is the same file', async t => {
  const path = await segmentOf(t, 1, 2)
  renameSync(path, path + '.spool')
  t.strictSame(await read(path + '.spool'), [1, 2])
})
