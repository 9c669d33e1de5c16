/**
 * Each row of the table of misbehaviour, once: what the answer is, that it
 * shows no secret, and that nothing of ours is left at the other side.
 */
import t from '../support/tap.js'
import fc from 'fast-check'
import { createOutbound, type Answer } from '../../src/outbound/request.js'
import { CA, place, ROWS, SECRETS, SHORT_MS } from './misbehaviour.js'
import { onHead, startRaw, subscriberAt } from './servers.js'

for (const row of ROWS) {
  t.test(row.says, async t => {
    const { url, server } = await place(t, row)
    const outbound = createOutbound()
    t.teardown(() => { outbound.close() })
    const ask = async (): Promise<Answer> => await outbound.request({
      to: subscriberAt(`${url}/hook?key=${SECRETS.query}`, { tls: { ca: CA }, timeoutMs: row.slow === true ? SHORT_MS : 15_000 }),
      headers: { authorization: `Bearer ${SECRETS.header}` },
      body: Buffer.alloc(row.size ?? 64, 'a'),
      secrets: [`Bearer ${SECRETS.header}`, SECRETS.header]
    })
    let answer = await ask()
    // Time that a machine stood still is missing before it: once more.
    if (row.slow === true && 'error' in row.means && !('error' in answer && answer.error === row.means.error)) answer = await ask()
    t.match(answer, row.means)
    if ('error' in row.means && typeof row.means.error === 'string') t.equal('error' in answer && answer.error, row.means.error)
    for (const secret of Object.values(SECRETS)) t.notOk(JSON.stringify(answer).includes(secret), secret)
    outbound.close()
    await server?.quiet()
  })
}

/** Now and then something else than it should be. */
const mostly = (...right: string[]): fc.Arbitrary<string> => fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...right) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) }
)

/** Answers, most of them nearly right. */
const PIECES = fc.tuple(
  fc.array(mostly('HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\n\r\n'), { maxLength: 2 }),
  fc.tuple(mostly('HTTP/1.1 200 OK\r\n', 'HTTP/1.1 204 No Content\r\n', 'HTTP/1.1 101 Switching Protocols\r\n', 'HTTP/1.0 500 No\r\n')),
  fc.array(mostly('content-length: 3\r\n', 'transfer-encoding: chunked\r\n', 'connection: close\r\n', 'upgrade: x\r\n', 'retry-after: 7\r\n'), { maxLength: 3 }),
  fc.tuple(mostly('\r\n')),
  fc.array(mostly('3\r\nabc\r\n', '0\r\n\r\n', 'abc'), { maxLength: 3 })
).map(parts => parts.flat())

t.test('whatever comes back, in whatever pieces, the request ends as a value and the connection with it', async t => {
  let pieces: string[] = []
  const server = await startRaw(t, socket => onHead(socket, () => {
    for (const piece of pieces) socket.write(piece, 'latin1')
    socket.end()
  }))
  const outbound = createOutbound()
  t.teardown(() => { outbound.close() })
  const kinds = new Set<string>()
  await fc.assert(fc.asyncProperty(PIECES, async sent => {
    pieces = sent
    const answer = await outbound.request({ to: subscriberAt(server.url), headers: {}, body: Buffer.from('{}') })
    kinds.add('status' in answer ? String(answer.status) : answer.error)
    await server.quiet()
    return 'status' in answer ? answer.status >= 200 : answer.failure === 'connection' && !/ERR_|failed/.test(answer.error)
  }), { numRuns: 500 })
  t.comment([...kinds].join('; '))
})
