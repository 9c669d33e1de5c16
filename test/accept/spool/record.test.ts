/**
 * What is read from a file of the spool is what was written, and every byte
 * that is not a whole record is told.
 */
import { deepStrictEqual, equal } from 'node:assert/strict'
import fc from 'fast-check'
import t from '../../support/tap.js'
import type { Arrival } from '../../../src/accept/arrival.js'
import { entryOf, readPieces, recordOf, type Piece } from '../../../src/accept/spool/record.js'
import { FLAGS } from '../../../src/model/event.js'
import { arrivalNumber, numberOf } from './folder.js'

const MARKER = Buffer.from('0123456789abcdef', 'hex')
const record = (arrival: Arrival): Buffer => Buffer.concat(recordOf(entryOf(arrival), MARKER))
const read = (bytes: Buffer, from = 0): Piece[] => [...readPieces(bytes, from, MARKER)]
const numbersIn = (pieces: Piece[]): number[] => pieces.flatMap(piece => piece.kind === 'record' ? [numberOf(piece.arrival)] : [])
const kindsOf = (pieces: Piece[]): string[] => pieces.map(({ kind }) => kind)

t.test('any callback comes back as it was, byte for byte', async () => {
  const arrivals = fc.record({
    body: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
    contentType: fc.string(),
    receivedAt: fc.integer({ min: 0, max: 2 ** 48 }),
    flags: fc.subarray([...FLAGS])
  }, { noNullPrototype: true })
  fc.assert(fc.property(fc.array(arrivals, { maxLength: 5 }), several => {
    const bytes = Buffer.concat(several.map(record))
    const back = read(bytes).map(piece => piece.kind === 'record' ? piece.arrival : piece)
    deepStrictEqual(back.map(one => 'body' in one ? { ...one, body: Buffer.from(one.body) } : one), several)
    equal(several.reduce((sum, arrival) => sum + entryOf(arrival).bytes, 0), bytes.length, 'and takes what it says')
  }), { numRuns: 200 })
})

t.test('a test event stays meant for one', async t => {
  t.match(read(record(arrivalNumber(1, { only: 'billing' }))), [{ arrival: { only: 'billing' } }])
})

const THREE = [1, 2, 3].map(n => record(arrivalNumber(n)))
const WHOLE = Buffer.concat(THREE)
const ENDS = [THREE[0]!.length, THREE[0]!.length + THREE[1]!.length, WHOLE.length]

t.test('cut off at any byte, all before it is read, and the rest is a torn end', async t => {
  for (let length = 0; length <= WHOLE.length; length++) {
    const pieces = read(WHOLE.subarray(0, length))
    const whole = ENDS.filter(end => end <= length).length
    const rest = ENDS.includes(length) || length === 0 ? [] : ['torn']
    deepStrictEqual(kindsOf(pieces), [...Array.from({ length: whole }, () => 'record'), ...rest], `${length} bytes`)
    equal(pieces.at(-1)?.end ?? 0, length, 'nothing is left out')
  }
  t.pass(`${WHOLE.length + 1} lengths`)
})

t.test('room at the end that was never filled is a torn end', async t => {
  t.strictSame(kindsOf(read(Buffer.concat([WHOLE, Buffer.alloc(4_096)]))), ['record', 'record', 'record', 'torn'])
})

t.test('with any bit flipped, all other records are read, and the damage is told', async t => {
  for (let at = 0; at < WHOLE.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const damaged = Buffer.from(WHOLE)
      damaged[at]! ^= 1 << bit
      const hit = ENDS.findIndex(end => at < end) + 1
      const pieces = read(damaged)
      const wanted = { numbers: [1, 2, 3].filter(n => n !== hit), kinds: [1, 2, 3].map(n => n === hit ? 'damage' : 'record') }
      deepStrictEqual({ numbers: numbersIn(pieces), kinds: kindsOf(pieces) }, wanted, `bit ${bit} of byte ${at}`)
    }
  }
  t.pass(`${WHOLE.length * 8} flips`)
})

t.test('a stretch of damage over several records costs those records alone', async t => {
  const five = [1, 2, 3, 4, 5].map(n => record(arrivalNumber(n)))
  const bytes = Buffer.concat(five)
  const [start, end] = [five[0]!.length + 10, five[0]!.length + five[1]!.length + 10]
  bytes.fill(0x5a, start, end)
  const pieces = read(bytes)
  t.strictSame(numbersIn(pieces), [1, 4, 5])
  t.strictSame(pieces.filter(({ kind }) => kind === 'damage').map(({ start, end }) => [start, end]), [[five[0]!.length, bytes.length - five[3]!.length - five[4]!.length]])
})

t.test('a body that looks like a record is no record, even when what is around it is damaged', async t => {
  const forged = Buffer.concat(recordOf(entryOf(arrivalNumber(666)), Buffer.alloc(8, 7)))
  const bytes = Buffer.concat([record(arrivalNumber(1, { body: forged })), record(arrivalNumber(2))])
  bytes[8]! ^= 1 // the length of the first
  t.strictSame(numbersIn(read(bytes)), [2])
})

t.test('whole by its checksum but not understood is damage, and kept: a release that wrote more', async t => {
  const entry = { ...entryOf(arrivalNumber(1)), about: Buffer.from([3, 0, 0, 0, 0x7b, 0x7d, 0x21]) }
  t.strictSame(kindsOf(read(Buffer.concat([...recordOf(entry, MARKER), record(arrivalNumber(2))]))), ['damage', 'record'])
})
