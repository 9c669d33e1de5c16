/**
 * Connections: how many, how long, over TLS, and while the gateway stops.
 */
import t from '../support/tap.js'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import type { Acceptance } from '../../src/accept/arrival.js'
import { makeCertificates } from '../support/certificates.js'
import { CALLBACK, createEndpoint, listen, openWire, PATH, post } from './endpoint.js'

t.test('a connection is used again', async t => {
  const endpoint = createEndpoint()
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(post(CALLBACK))
  t.match(await wire.received(/}/), /^HTTP\/1\.1 200 .*\r\n[^]*connection: keep-alive/i)
  wire.send(post(CALLBACK))
  await wire.received(/}[^]*}/)
  t.equal(endpoint.arrivals.length, 2)
})

t.test('strangers cannot use up the connections', async t => {
  const limits = { maxStrangers: 3 }
  const endpoint = createEndpoint({ allowFrom: [] }, { limits })
  const port = await listen(t, endpoint.app)
  const idle = [await openWire(t, port), await openWire(t, port), await openWire(t, port)]
  const oneMore = connect({ host: '127.0.0.1', port })
  oneMore.on('error', () => {})
  await once(oneMore, 'close')

  endpoint.policy = { ...endpoint.policy, allowFrom: ['127.0.0.1'] }
  const sender = await openWire(t, port)
  sender.send(post(CALLBACK, ['connection: close']))
  t.match(await sender.closed, /^HTTP\/1\.1 200 /, 'a sender on the list is not counted')

  endpoint.policy = { ...endpoint.policy, allowFrom: [] }
  idle[0]!.socket.destroy()
  let answer = ''
  for (let tries = 0; tries < 1_000 && answer === ''; tries++) {
    const wire = await openWire(t, port)
    wire.send('GET / HTTP/1.1\r\nconnection: close\r\n\r\n')
    answer = await wire.closed
  }
  t.match(answer, /^HTTP\/1\.1 403 /, 'a place that was left is free again')
})

t.test('a stranger is not kept connected', async t => {
  const wire = await openWire(t, await listen(t, createEndpoint({ allowFrom: [] }).app))
  wire.send(post(CALLBACK))
  t.match(await wire.closed, /^HTTP\/1\.1 403 /)
})

t.test('over TLS it is the same endpoint', async t => {
  const { ca, server } = makeCertificates()
  const endpoint = createEndpoint({}, { tls: server })
  const port = await listen(t, endpoint.app)
  const sending = requestTls({ host: '127.0.0.1', port, path: PATH, method: 'POST', ca })
  sending.end(CALLBACK)
  const [answer] = await once(sending, 'response') as [IncomingMessage]
  answer.resume()
  t.equal(answer.statusCode, 200)
  t.equal(endpoint.arrivals[0]!.body.toString(), CALLBACK)
})

t.test('over TLS a handshake that stops is cut off', async t => {
  const { server } = makeCertificates()
  const limits = { headersTimeoutMs: 100, checkIntervalMs: 20 }
  const endpoint = createEndpoint({}, { tls: server, limits })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(Buffer.from('160301', 'hex'))
  t.equal(await wire.closed, '', 'by us')
})

t.test('while stopping, callbacks are still taken, and clients are asked to connect anew', async t => {
  let stopping = false
  const endpoint = createEndpoint({}, { stopping: () => stopping })
  const port = await listen(t, endpoint.app)
  const wire = await openWire(t, port)
  wire.send(post(CALLBACK))
  await wire.received(/}/)
  stopping = true
  wire.send(post(CALLBACK))
  t.match(await wire.closed, /}HTTP\/1\.1 200 [^]*connection: close/i)
  t.equal(endpoint.arrivals.length, 2)
})

t.test('closing waits for the callback under way, and its sender gets its answer', async t => {
  let finish: (acceptance: Acceptance) => void = () => {}
  let arrive: () => void = () => {}
  const arrived = new Promise<void>(resolve => { arrive = resolve })
  const { app } = createEndpoint({}, {
    accept: async () => {
      arrive()
      return await new Promise<Acceptance>(resolve => { finish = resolve })
    }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  const sending = request({ agent, host: '127.0.0.1', port, path: PATH, method: 'POST' })
  sending.end(CALLBACK)
  await arrived
  const closed = app.close()
  finish({ kind: 'accepted', eventId: 'evt_1' })
  const [answer] = await once(sending, 'response') as [IncomingMessage]
  answer.resume()
  t.equal(answer.statusCode, 200)
  await closed
})

t.test('a callback that comes on a busy connection while closing is taken too', async t => {
  const waiting: Array<(acceptance: Acceptance) => void> = []
  let arrive: () => void = () => {}
  const endpoint = createEndpoint({}, {
    accept: async () => await new Promise<Acceptance>(resolve => {
      waiting.push(resolve)
      arrive()
    })
  })
  const wire = await openWire(t, await listen(t, endpoint.app))
  for (let number = 1; number <= 2; number++) {
    const arrived = new Promise<void>(resolve => { arrive = resolve })
    wire.send(post(CALLBACK))
    await arrived
    if (number === 1) void endpoint.app.close()
  }
  for (const finish of waiting) finish({ kind: 'accepted', eventId: 'evt_1' })
  t.equal((await wire.closed).match(/HTTP\/1\.1 200/g)?.length, 2)
})

t.test('a client that leaves while we wait costs nothing and breaks nothing', async t => {
  let arrived: () => void = () => {}
  let finish: (acceptance: Acceptance) => void = () => {}
  const endpoint = createEndpoint({}, {
    accept: async () => {
      arrived()
      return await new Promise<Acceptance>(resolve => { finish = resolve })
    }
  })
  const port = await listen(t, endpoint.app)
  const wire = await openWire(t, port)
  const waiting = new Promise<void>(resolve => { arrived = resolve })
  wire.send(post(CALLBACK))
  await waiting
  wire.socket.resetAndDestroy()
  finish({ kind: 'accepted', eventId: 'evt_1' })
  const cut = await openWire(t, port)
  cut.send(post(CALLBACK).slice(0, -5))
  cut.socket.resetAndDestroy()
  const other = await openWire(t, port)
  const second = new Promise<void>(resolve => { arrived = resolve })
  other.send(post(CALLBACK, ['connection: close']))
  await second
  finish({ kind: 'accepted', eventId: 'evt_2' })
  t.match(await other.closed, /evt_2/)
})
