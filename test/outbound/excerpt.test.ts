import t from '../support/tap.js'
import fc from 'fast-check'
import { excerptOf, MAX_EXCERPT_BYTES } from '../../src/outbound/excerpt.js'

const TABLE: ReadonlyArray<[says: string, bytes: Buffer, shown: string | null]> = [
  ['nothing is nothing', Buffer.alloc(0), null],
  ['only white space is nothing', Buffer.from(' \r\n'), null],
  ['text is kept', Buffer.from('no such task: ä€😀'), 'no such task: ä€😀'],
  ['line ends and tabs become one space', Buffer.from('{\r\n\t"ok": false\r\n}\n'), '{ "ok": false }'],
  ['control characters cannot steer a terminal', Buffer.from('a\u001b[2Jb\u0000c\u009bd\u007fe'), 'a [2Jb c d e'],
  ['text direction cannot be turned', Buffer.from('ok\u202eko'), 'ok ko'],
  ['invalid UTF-8 is replaced', Buffer.from([0x61, 0xff, 0x62]), 'a\ufffdb'],
  ['a kilobyte is kept', Buffer.from('x'.repeat(16_384)), 'x'.repeat(1024)],
  ['a character is kept whole or not at all', Buffer.from('x'.repeat(1023) + '€'), 'x'.repeat(1023)]
]
for (const [says, bytes, shown] of TABLE) {
  t.test(says, async t => { t.equal(excerptOf(bytes), shown) })
}

t.test('secrets are masked, the longest first, before the cut', async t => {
  t.equal(excerptOf(Buffer.from('you sent Bearer abcdef1 here'), ['abcdef1', 'Bearer abcdef1']), 'you sent *** here')
  t.equal(excerptOf(Buffer.from('x'.repeat(1020) + 'abcdef1'), ['abcdef1']), 'x'.repeat(1020) + '***')
})

t.test('short texts are no secrets', async t => {
  t.equal(excerptOf(Buffer.from('true'), ['', 'true']), 'true')
})

t.test('whatever the bytes, it fits and shows no control character', async () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 4096 }), bytes => {
    const shown = excerptOf(Buffer.from(bytes)) ?? ''
    return Buffer.byteLength(shown) <= MAX_EXCERPT_BYTES && !/[\p{Cc}]/u.test(shown)
  }))
})
