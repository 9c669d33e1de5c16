import { PassThrough } from 'node:stream'
import type { Socket } from 'node:net'
import t from '../support/tap.js'
import fc from 'fast-check'
import { leaveOutInterim } from '../../src/outbound/interim.js'

/** What is read of these pieces, each of them an answer's first or further bytes. */
function readOf (pieces: readonly string[]): string {
  // Of a socket only `read` is used.
  const socket = new PassThrough() as unknown as Socket & PassThrough
  leaveOutInterim(socket)()
  let text = ''
  for (const piece of pieces) {
    socket.write(piece, 'latin1')
    text += (socket.read() as Buffer | null)?.toString('latin1') ?? ''
  }
  return text
}

const FINAL = 'HTTP/1.1 200 OK\r\ncontent-length: 22\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'

const TABLE: ReadonlyArray<[says: string, bytes: string, read: string]> = [
  ['an answer is read as it is, whatever its body', FINAL, FINAL],
  ['100 is left out', 'HTTP/1.1 100 Continue\r\n\r\n' + FINAL, FINAL],
  ['so are several, with headers and without a word', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.0 199\r\n\r\n' + FINAL, FINAL],
  ['101 is left in', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['a status of four digits is left in', 'HTTP/1.1 1000 High\r\n\r\n', 'HTTP/1.1 1000 High\r\n\r\n'],
  ['what is not HTTP is left in', 'SSH-2.0-1 1\r\n\r\n', 'SSH-2.0-1 1\r\n\r\n'],
  ['a few bytes that cannot become HTTP are not waited for', '\0\0\0\u0004\0\0\0\0\0', '\0\0\0\u0004\0\0\0\0\0'],
  ['a head that does not end is handed on when it is large', 'HTTP/1.1 103 Early Hints\r\nx: ' + 'a'.repeat(17_000), 'HTTP/1.1 103 Early Hints\r\nx: ' + 'a'.repeat(17_000)]
]
for (const [says, bytes, read] of TABLE) {
  t.test(says, async t => { t.equal(readOf([bytes]), read) })
}

t.test('wherever the network cuts it', async () => {
  const [, bytes, read] = TABLE[2]!
  fc.assert(fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 20 }), cuts => {
    const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
    return readOf(places.slice(1).map((end, at) => bytes.slice(places[at], end))) === read
  }))
})

t.test('only the beginning of an answer is looked at', async t => {
  const socket = new PassThrough() as unknown as Socket & PassThrough
  const expect = leaveOutInterim(socket)
  const read = (text: string): string | null => { socket.write(text); return (socket.read() as Buffer | null)?.toString() ?? null }
  t.equal(read('HTTP/1.1 100 Continue\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n', 'nothing is expected yet')
  expect()
  t.equal(read('HTTP/1.1 100 Con'), null)
  expect()
  t.equal(read('HTTP/1.1 200 OK\r\n\r\n'), 'HTTP/1.1 200 OK\r\n\r\n', 'a new answer begins anew')
  t.equal(read('HTTP/1.1 100 Continue\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n', 'it has begun')
})
