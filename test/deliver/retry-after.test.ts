import t from '../support/tap.js'
import { waitAsked } from '../../src/deliver/retry-after.js'

/** Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's own example. */
const THEN = Date.UTC(1994, 10, 6, 8, 49, 37)
const NOW = THEN - 5_000

const TABLE: ReadonlyArray<[says: string, header: string | undefined, waitMs: number | undefined]> = [
  ['no header asks for nothing', undefined, undefined],
  ['an empty one asks for nothing', '', undefined],
  ['seconds', '7', 7_000],
  ['no seconds', '0', 0],
  ['seconds in white space', ' 120 ', 120_000],
  ['a date', 'Sun, 06 Nov 1994 08:49:37 GMT', 5_000],
  ['a date of RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', 5_000],
  ['a date of asctime is in GMT too', 'Sun Nov  6 08:49:37 1994', 5_000],
  ['a date that is over asks for no wait', 'Sun, 06 Nov 1994 08:49:00 GMT', 0],
  ['a date that is none asks for nothing', 'Sun, 99 Nov 1994 08:49:37 GMT', undefined],
  ['negative seconds ask for nothing', '-1', undefined],
  ['fractions ask for nothing', '1.5', undefined],
  ['other dates ask for nothing', '1994-11-06T08:49:37Z', undefined],
  ['words ask for nothing', 'soon', undefined],
  ['a list asks for nothing', '5, 10', undefined],
  ['what is no text asks for nothing', '\u00ff\u0001', undefined],
  ['seconds beyond all numbers ask for ever', '9'.repeat(400), Infinity]
]
for (const [says, header, waitMs] of TABLE) {
  t.test(says, async t => { t.equal(waitAsked(header, NOW), waitMs) })
}
