/** Sizes: what is read, what is refused, and that writing undoes reading. */
import t from '../support/tap.js'
import fc from 'fast-check'
import { formatSize, parseSize } from '../../src/config/size.js'

const READ: ReadonlyArray<[written: string, bytes: number]> = [['256kb', 262_144], ['1mb', 1_048_576], ['0kb', 0]]
for (const [written, bytes] of READ) {
  t.test(`${written} is ${bytes} bytes`, async t => { t.strictSame(parseSize(written), { value: bytes }) })
}

const REFUSED = ['', '10b', '1gb', '1MB', '1Mb', '1 mb', '1m', '1mib', '01mb', '-1mb', '1.5mb', '1mb\n', '1048577mb', true, null, undefined, 1.5]
for (const written of REFUSED) {
  t.test(`${JSON.stringify(written)} is refused`, async t => { t.match(parseSize(written), { problem: String }) })
}

t.test('a bare number is refused, and told what to write', async t => {
  t.strictSame(parseSize(256), { problem: 'has no unit', hint: 'write 256kb or 256mb' })
  t.strictSame(parseSize(262_144), { problem: 'has no unit', hint: 'write 256kb for that number of bytes' })
})

t.test('gigabytes are refused, and told what to write', async t => {
  const written: ReadonlyArray<[gigabytes: string, megabytes: string]> = [['2gb', '2048mb'], ['16 GB', '16384mb'], ['1GiB', '1024mb'], ['4g', '4096mb']]
  for (const [gigabytes, megabytes] of written) {
    t.strictSame(parseSize(gigabytes), { problem: 'is not a size', hint: `write ${megabytes}` })
  }
  t.match(parseSize('1.5gb'), { hint: /a whole number and a unit/ })
})

t.test('what is formatted reads back as the same', async t => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1_073_741_824 }), kilobytes => {
    t.strictSame(parseSize(formatSize(kilobytes * 1024)), { value: kilobytes * 1024 })
  }))
})

t.test('bytes that are no whole number of kb are still shown', async t => { t.equal(formatSize(1_000), '1000 bytes') })
