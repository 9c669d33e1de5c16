/**
 * A callback that was accepted is answered, whatever comes after it on its
 * connection, and nothing else is answered then.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import t from '../support/tap.js'
import type { Acceptance } from '../../src/accept/arrival.js'
import type { ListenerLimits } from '../../src/ingest/listener.js'
import type { IngestOptions } from '../../src/ingest/options.js'
import { makeCertificates } from '../support/certificates.js'
import { until } from '../support/until.js'
import { CALLBACK, createEndpoint, head, listen, openWire, post, type Endpoint, type Wire } from './endpoint.js'

const ACCEPTED: Acceptance = { kind: 'accepted', eventId: 'evt_1' }

/** An endpoint whose `accept` waits until it is told to go on. */
function waiting (limits: Partial<ListenerLimits> = {}, options: Partial<IngestOptions> = {}): { endpoint: Endpoint, arrived: (count: number) => Promise<void>, goOn: () => void } {
  const pending: Array<(acceptance: Acceptance) => void> = []
  let heard: () => void = () => {}
  const endpoint = createEndpoint({}, {
    ...options,
    limits,
    accept: async () => await new Promise<Acceptance>(resolve => {
      pending.push(resolve)
      heard()
    })
  })
  return {
    endpoint,
    async arrived (count) { while (pending.length < count) await new Promise<void>(resolve => { heard = resolve }) },
    goOn () { for (const finish of pending) finish(ACCEPTED) }
  }
}

const statusesIn = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status!)

const TAILS: ReadonlyArray<[says: string, tail: string]> = [
  ['one more }', '}'],
  ['NUL', '\0'],
  ['a broken second request', 'POST /x HTTP/1.1\r\nbad header\r\n\r\n'],
  ['a second request with a broken chunk', head(['transfer-encoding: chunked']) + 'zz\r\n'],
  ['a second request with too large a header', head([`x: ${'y'.repeat(20_000)}`])],
  ['TLS', '\x16\x03\x01'],
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n']
]
for (const [says, tail] of TAILS) {
  t.test(`${says} after callbacks: each of them gets its 200, and then the connection ends`, async t => {
    const { endpoint, arrived, goOn } = waiting()
    const wire = await openWire(t, await listen(t, endpoint.app))
    wire.send(Buffer.from(post(CALLBACK) + post(CALLBACK) + tail, 'latin1'))
    await arrived(2)
    t.equal(wire.text(), '', 'nothing is said before')
    goOn()
    t.strictSame(statusesIn(await wire.closed), ['200', '200'])
  })

  t.test(`${says}, and more and more of it: it is refused once`, async t => {
    const { endpoint, arrived, goOn } = waiting()
    const wire = await openWire(t, await listen(t, endpoint.app))
    wire.send(Buffer.from(post(CALLBACK) + tail, 'latin1'))
    await arrived(1)
    for (let i = 0; i < 50; i++) wire.send('rubbish\r\n\r\n')
    goOn()
    t.strictSame(statusesIn(await wire.closed), ['200'])
    t.ok(endpoint.facts.length <= 1)
  })
}

t.test('a second request that is cut off for being slow takes nothing away either', async t => {
  const { endpoint, arrived, goOn } = waiting({ headersTimeoutMs: 100, checkIntervalMs: 20 })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(post(CALLBACK) + 'POST /web')
  await arrived(1)
  await until('it is refused', () => endpoint.facts.some(({ fact }) => fact === 'callback.refused'))
  goOn()
  t.strictSame(statusesIn(await wire.closed), ['200'])
})

/** Says that it will send no more, and reads on. */
function closeHalf ({ socket }: Wire): void { socket.end() }

t.test('a sender that closes its half after its callbacks gets their answers', async t => {
  const { endpoint, arrived, goOn } = waiting()
  const port = await listen(t, endpoint.app)
  const connected = once(endpoint.app.server, 'connection')
  const wire = await openWire(t, port)
  const [ours] = await connected as [Socket]
  const heard = once(ours, 'end')
  wire.send(post(CALLBACK) + post(CALLBACK))
  closeHalf(wire)
  await Promise.all([arrived(2), heard])
  goOn()
  t.strictSame(statusesIn(await wire.closed), ['200', '200'])
})

t.test('over TLS as well', async t => {
  const { ca, server } = makeCertificates()
  const { endpoint, arrived, goOn } = waiting({}, { tls: server })
  const port = await listen(t, endpoint.app)
  const connected = once(endpoint.app.server, 'secureConnection')
  const half = { host: '127.0.0.1', port, ca, allowHalfOpen: true }
  const socket = connectTls(half)
  t.teardown(() => { socket.destroy() })
  const [ours] = await connected as [Socket]
  const heard = once(ours, 'end')
  socket.end(post(CALLBACK))
  await Promise.all([arrived(1), heard])
  goOn()
  t.strictSame(statusesIn(await text(socket)), ['200'])
})

t.test('a sender that closes its half after its answer is not kept connected', async t => {
  const wire = await openWire(t, await listen(t, createEndpoint().app))
  wire.send(post(CALLBACK))
  await wire.received(/}/)
  closeHalf(wire)
  t.strictSame(statusesIn(await wire.closed), ['200'])
})

t.test('rubbish alone is answered 400, and rubbish after an answer is not answered', async t => {
  const port = await listen(t, createEndpoint().app)
  const alone = await openWire(t, port)
  alone.send('}')
  t.strictSame(statusesIn(await alone.closed), ['400'])
  const after = await openWire(t, port)
  after.send(post(CALLBACK))
  await after.received(/}/)
  after.send('}')
  t.strictSame(statusesIn(await after.closed), ['200'])
})
