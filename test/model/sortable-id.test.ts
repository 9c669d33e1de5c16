/**
 * Ids that sort by the time they were made.
 */
import t from '../support/tap.js'
import fc from 'fast-check'
import { sortableId } from '../../src/model/sortable-id.js'

const LATEST_MS = 2 ** 48 - 1

t.test('an id is 26 characters of Crockford base32, and the time is its first ten', async t => {
  t.match(sortableId(Date.now()), /^[0-9A-HJKMNP-TV-Z]{26}$/)
  t.equal(sortableId(0).slice(0, 10), '0000000000')
  t.equal(sortableId(LATEST_MS).slice(0, 10), '7ZZZZZZZZZ')
  t.equal(sortableId(1469918176385).slice(0, 10), '01ARYZ6S41', 'the example of the ULID specification')
})

t.test('ids sort by time', async () => {
  const aTime = fc.integer({ min: 0, max: LATEST_MS })
  fc.assert(fc.property(aTime, aTime, (one, other) =>
    one === other || (one < other) === (sortableId(one) < sortableId(other))))
})

t.test('ids of one millisecond differ, in every one of their random characters', async t => {
  const ids = Array.from({ length: 20_000 }, () => sortableId(1))
  t.equal(new Set(ids).size, ids.length)
  for (let at = 10; at < 26; at++) t.equal(new Set(ids.map(id => id[at])).size, 32, `character ${at}`)
})

t.test('a time that does not fit is refused', async t => {
  for (const time of [-1, LATEST_MS + 1, NaN, Infinity]) t.throws(() => sortableId(time), RangeError)
})
