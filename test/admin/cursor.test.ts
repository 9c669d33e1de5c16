import t from '../support/tap.js'
import {
  deliveryCursor, eventCursor, readDeliveryCursor, readEventCursor, readOrderCursor, orderCursor
} from '../../src/admin/cursor.js'

const REPLAY = 'rpl_01ARZ3NDEKTSV4RRFFQ69G5FAV'

t.test('a cursor is read as it was written, to the last digit', async t => {
  t.equal(readEventCursor(eventCursor(1_767_225_600_123_457)), 1_767_225_600_123_457)
  t.strictSame(readDeliveryCursor(deliveryCursor({ below: 9_007_199_254_740_991, skip: 3 })), { below: 9_007_199_254_740_991, skip: 3 })
  t.equal(readOrderCursor(orderCursor(REPLAY)), REPLAY)
})

t.test('no cursor is the beginning', async t => {
  t.equal(readEventCursor(undefined), null)
  t.equal(readDeliveryCursor(undefined), null)
  t.equal(readOrderCursor(undefined), null)
})

t.test('a cursor needs no escaping in a query', async t => {
  t.match(deliveryCursor({ below: 1_767_225_600_123_457, skip: 499 }), /^[\w-]+$/)
})

const encode = (text: string): string => Buffer.from(text).toString('base64url')
const BROKEN: Readonly<Record<string, string>> = {
  'an empty text': '',
  'a text of no cursor': 'hello',
  'a cursor of another list': deliveryCursor({ below: 5, skip: 0 }),
  'a cursor cut short': eventCursor(1_767_225_600_123_457).slice(0, -3),
  'a cursor with something behind it': eventCursor(5) + '!',
  'a cursor with padding': eventCursor(5) + '=',
  'a negative place': encode('e.-5'),
  'a place with letters': encode('e.5e3'),
  'a place too large': encode('e.99999999999999999'),
  'bytes that are no text': Buffer.from([255, 0, 1]).toString('base64url')
}
for (const [says, cursor] of Object.entries(BROKEN)) {
  t.test(`${says} is refused`, async t => {
    t.throws(() => readEventCursor(cursor), { code: 'INVALID_REQUEST', message: /cursor takes/ })
  })
}

t.test('a replay cursor holds the id of a replay and nothing else', async t => {
  t.throws(() => readOrderCursor(encode('r.rpl_1')), { code: 'INVALID_REQUEST' })
  t.throws(() => readOrderCursor(encode(`r.${REPLAY}:x`)), { code: 'INVALID_REQUEST' })
})
