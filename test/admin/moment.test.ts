import t from '../support/tap.js'
import { parseMoment } from '../../src/admin/moment.js'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const at = (iso: string): number => Date.parse(iso)

/** What people write, and the point in time it is. */
const TABLE: ReadonlyArray<[written: string, ms: number | null]> = [
  ['2h', NOW - 7_200_000],
  ['15m', NOW - 900_000],
  ['90s', NOW - 90_000],
  ['7d', NOW - 7 * 86_400_000],
  ['0s', NOW],
  ['2026-02-28', at('2026-02-28T00:00:00Z')],
  ['2026-02-28T08:30', at('2026-02-28T08:30:00Z')],
  ['2026-02-28T08:30:15Z', at('2026-02-28T08:30:15Z')],
  ['2026-02-28T08:30:15.250Z', at('2026-02-28T08:30:15.250Z')],
  ['2026-02-28T08:30:15.2501234Z', at('2026-02-28T08:30:15.250Z')],
  ['2026-02-28T08:30:15+02:00', at('2026-02-28T06:30:15Z')],
  ['2026-02-28T08:30:15 02:00', at('2026-02-28T06:30:15Z')],
  ['2026-02-28T08:30:15-0530', at('2026-02-28T14:00:15Z')],
  ['2024-02-29', at('2024-02-29T00:00:00Z')],
  ['2026-02-29', null],
  ['2026-02-31T00:00:00Z', null],
  ['2026-13-01', null],
  ['2026-01-01T24:00:00Z', null],
  ['2026-01-01T10:60:00Z', null],
  ['2026-01-01T10', null],
  ['1', null],
  ['2', null],
  ['2 h', null],
  ['-2h', null],
  ['2w', null],
  ['1.5h', null],
  ['yesterday', null],
  ['1767225600000', null],
  ['', null]
]
for (const [written, ms] of TABLE) {
  t.test(`"${written}" is ${ms === null ? 'no time' : new Date(ms).toISOString()}`, async t => {
    t.equal(parseMoment(written, NOW), ms)
  })
}
