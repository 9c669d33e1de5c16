/**
 * Clients that trickle, stop or never begin are cut off in time, and hurt
 * nobody else meanwhile.
 */
import t, { type Test } from '../support/tap.js'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { LISTENER_LIMITS } from '../../src/ingest/listener.js'
import { CALLBACK, createEndpoint, head, listen, openWire, post, type Wire } from './endpoint.js'
import { until } from '../support/until.js'

/** The defaults, thirty times as fast. */
const LIMITS = { headersTimeoutMs: 150, requestTimeoutMs: 300, checkIntervalMs: 20, silenceTimeoutMs: 320 }

/** Sends a text byte by byte for ever. */
function trickle (t: Test, wire: Wire, text: string): void {
  let at = 0
  const timer = setInterval(() => { wire.send(text[at++ % text.length]!) }, 15)
  t.teardown(() => { clearInterval(timer) })
  wire.socket.once('close', () => { clearInterval(timer) })
}

const ATTACKS: ReadonlyArray<[says: string, attack: (t: Test, wire: Wire) => void]> = [
  ['a client that says nothing', () => {}],
  ['a header that trickles', (t, wire) => {
    wire.send('POST /webhooks/fotor HTTP/1.1\r\n')
    trickle(t, wire, 'x: y\r\n')
  }],
  ['a request line that trickles', (t, wire) => { trickle(t, wire, 'POST /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') }],
  ['a header that stops', (_t, wire) => { wire.send('POST /webhooks/fotor HTTP/1.1\r\nhost: re') }],
  ['a body that trickles', (t, wire) => {
    wire.send(head(['content-length: 1000']))
    trickle(t, wire, ' ')
  }],
  ['a body that stops', (_t, wire) => { wire.send(head(['content-length: 1000']) + '{"taskId"') }],
  ['a body that never begins', (_t, wire) => { wire.send(head(['content-length: 1000'])) }],
  ['a length that lies', (_t, wire) => { wire.send(head([`content-length: ${CALLBACK.length + 1}`]) + CALLBACK) }],
  ['chunks that trickle', (t, wire) => {
    wire.send(head(['transfer-encoding: chunked']))
    trickle(t, wire, '1\r\n \r\n')
  }],
  ['a chunk extension that trickles', (t, wire) => {
    wire.send(head(['transfer-encoding: chunked']) + '1;a=')
    trickle(t, wire, 'b')
  }],
  ['a client that asks for 100 Continue and goes quiet', (_t, wire) => {
    wire.send(head(['content-length: 10', 'expect: 100-continue']))
  }],
  ['a second request that trickles', (t, wire) => {
    wire.send(post(CALLBACK) + 'POST /web')
    trickle(t, wire, 'h')
  }],
  ['a body that trickles after a refusal', (t, wire) => {
    wire.send(head(['content-length: 100000']))
    trickle(t, wire, ' ')
  }]
]
for (const [says, attack] of ATTACKS) {
  t.test(`${says} is cut off, and others are served meanwhile`, async t => {
    const endpoint = createEndpoint({}, { limits: LIMITS })
    const port = await listen(t, endpoint.app)
    const wire = await openWire(t, port)
    attack(t, wire)

    await until('another is served, who is not slow', async () => {
      const other = await openWire(t, port)
      other.send(post('{"an":"other"}', ['connection: close']))
      return /^HTTP\/1\.1 200 /.test(await other.closed)
    })

    await wire.closed
    const attackers = endpoint.arrivals.filter(arrival => !arrival.body.toString().includes('other'))
    t.ok(attackers.length <= 1, 'nothing was made of what did not arrive whole')
  })
}

t.test('a denied client that trickles is cut off, and learns nothing but 403', async t => {
  const endpoint = createEndpoint({ allowFrom: [] }, { limits: LIMITS })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(head(['content-length: 1000']))
  trickle(t, wire, ' ')
  t.match(await wire.closed, /^$|^HTTP\/1\.1 403 /)
})

t.test('a client that never reads its answers is cut off', async t => {
  const endpoint = createEndpoint({}, { limits: LIMITS })
  const port = await listen(t, endpoint.app)
  const connected = once(endpoint.app.server, 'connection')
  const wire = await openWire(t, port)
  const [ours] = await connected as [Socket]
  const cutOff = once(ours, 'close')
  wire.socket.pause()
  wire.send(post(CALLBACK).repeat(50_000))
  await cutOff
  t.ok(endpoint.arrivals.length < 50_000, 'and not everything it sent was taken')
})

t.test('the defaults cut every one of them off within ten seconds', async t => {
  const { app } = createEndpoint()
  t.teardown(() => app.close())
  await app.ready()
  const server = app.server as Server & { timeout: number }
  t.equal(server.headersTimeout, LISTENER_LIMITS.headersTimeoutMs)
  t.equal(server.requestTimeout, LISTENER_LIMITS.requestTimeoutMs)
  t.equal(server.timeout, LISTENER_LIMITS.silenceTimeoutMs)
  const lastWordMs = 1_000
  t.ok(server.headersTimeout > 0 && server.headersTimeout + LISTENER_LIMITS.checkIntervalMs + lastWordMs <= 10_000)
  t.ok(server.requestTimeout > 0 && server.requestTimeout + LISTENER_LIMITS.checkIntervalMs + lastWordMs <= 10_000)
  t.ok(server.timeout > 0 && server.timeout <= 10_000)
  const internals = server as unknown as Record<symbol, { _repeat?: number } | undefined>
  const checks = Object.getOwnPropertySymbols(server).map(symbol => internals[symbol]?._repeat).filter(repeat => repeat !== undefined)
  t.ok(checks.length === 0 || checks.includes(LISTENER_LIMITS.checkIntervalMs), 'and Node checks as often as told')
})

t.test('a request that is late because we stood still is answered 503 and asked for again, not blamed on its client', async t => {
  const endpoint = createEndpoint({}, { limits: LIMITS })
  const wire = await openWire(t, await listen(t, endpoint.app))
  const begun = once(endpoint.app.server, 'request')
  wire.send(head(['content-length: 1000']))
  await begun
  const until = performance.now() + 1_500
  while (performance.now() < until); // nothing else runs in this process
  t.match(await wire.closed, /^HTTP\/1\.1 503 [^]*application\/problem\+json\r\nretry-after: 5\r\n/)
  t.match(endpoint.facts, [{ fact: 'callback.refused', status: 503, reason: 'not-http' }])
})
