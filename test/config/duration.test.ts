/** Durations: what is read, what is refused, and that writing undoes reading. */
import t from '../support/tap.js'
import fc from 'fast-check'
import { formatDuration, parseDuration } from '../../src/config/duration.js'

const READ: ReadonlyArray<[written: string, ms: number]> = [
  ['500ms', 500],
  ['15s', 15_000],
  ['10m', 600_000],
  ['6h', 21_600_000],
  ['7d', 604_800_000],
  ['0s', 0],
  ['36500d', 3_153_600_000_000]
]
for (const [written, ms] of READ) {
  t.test(`${written} is ${ms} milliseconds`, async t => { t.strictSame(parseDuration(written), { value: ms }) })
}

const REFUSED = [
  '', ' ', 's', '15 s', ' 15s', '15s ', '15S', '1M', '1mo', '1w', '1y', '015s', '-1s', '+1s', '1.5s', '1e3s', '1h30m', '15sec', '15s\n', '36501d',
  '99999999999999999999d', 'PT15S', true, null, undefined, [], 1.5, Number.NaN
]
for (const written of REFUSED) {
  t.test(`${JSON.stringify(written)} is refused`, async t => { t.match(parseDuration(written), { problem: String }) })
}

t.test('a bare number is refused, and told what to write', async t => {
  t.strictSame(parseDuration(90), { problem: 'has no unit', hint: 'write 90s for seconds, or 90ms, 90m, 90h, 90d' })
  t.match(parseDuration('90'), { problem: 'has no unit' })
})

t.test('what is formatted reads back as the same', async t => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 3_153_600_000_000 }), ms => {
    t.strictSame(parseDuration(formatDuration(ms)), { value: ms })
  }))
})

t.test('the shortest exact form is written', async t => {
  t.equal(formatDuration(0), '0s')
  t.equal(formatDuration(1_500), '1500ms')
  t.equal(formatDuration(5_400_000), '90m')
  t.equal(formatDuration(86_400_000), '1d')
})

t.test('no text but a number and a unit is ever read', async t => {
  fc.assert(fc.property(fc.string(), text => {
    if (!/^\d+(ms|[smhd])$/.test(text)) t.match(parseDuration(text), { problem: String })
  }))
})
