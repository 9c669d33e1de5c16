/**
 * Bodies on the wire: however they are sent, their bytes are whole or refused,
 * and the sender can read why.
 */
import t from '../support/tap.js'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { CALLBACK, createEndpoint, head, listen, openWire, PATH, post, SENDER, STRANGER } from './endpoint.js'

t.test('a chunked body is whole, wherever it was cut', async t => {
  const endpoint = createEndpoint()
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(head(['transfer-encoding: chunked', 'connection: close']))
  for (const character of CALLBACK) wire.send(`1\r\n${character}\r\n`)
  wire.send('0\r\n\r\n')
  t.match(await wire.closed, /^HTTP\/1\.1 200 /)
  t.equal(endpoint.arrivals[0]!.body.toString(), CALLBACK)
})

t.test('a body of exactly the limit passes, one byte more does not, chunked or not', async t => {
  const endpoint = createEndpoint({ maxBodyBytes: 100 })
  const port = await listen(t, endpoint.app)
  for (const [size, status] of [[100, 200], [101, 413]] as const) {
    const body = 'x'.repeat(size)
    const plain = await openWire(t, port)
    plain.send(post(body, ['connection: close']))
    t.match(await plain.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
    const chunked = await openWire(t, port)
    chunked.send(head(['transfer-encoding: chunked', 'connection: close']) + `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
    t.match(await chunked.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
  }
})

t.test('a sender sees its 413 although it is still sending, and is then cut off', async t => {
  const endpoint = createEndpoint()
  const port = await listen(t, endpoint.app)
  const sending = request({ port, host: '127.0.0.1', path: PATH, method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  sending.on('error', () => {}) // the cut, after the answer
  const flood = setInterval(() => { sending.write(Buffer.alloc(64 * 1024)) }, 1)
  t.teardown(() => { clearInterval(flood) })
  const [answer] = await once(sending, 'response')
  t.equal(answer.statusCode, 413)
  t.equal(answer.headers.connection, 'close')
  let body = ''
  for await (const chunk of answer) body += String(chunk)
  t.match(JSON.parse(body), { status: 413 })
  if (!sending.destroyed) await once(sending, 'close')
  t.match(endpoint.facts, [{ status: 413, reason: 'size' }])
})

t.test('what a sender still sends after its 413 is read, so that the network does not take the answer back', async t => {
  const endpoint = createEndpoint()
  const port = await listen(t, endpoint.app)
  const connected = once(endpoint.app.server, 'connection')
  const wire = await openWire(t, port)
  const [ours] = await connected as [Socket]
  const text = post('x'.repeat(500_000))
  wire.send(text.slice(0, 2_000))
  await wire.received(/"status":413[^}]*}/)
  wire.send(text.slice(2_000))
  await wire.closed
  t.equal(ours.bytesRead, text.length)
})

t.test('a length over the limit is refused before a byte of it is read', async t => {
  const endpoint = createEndpoint()
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(head(['content-length: 999999999999']))
  t.match(await wire.closed, /^HTTP\/1\.1 413 /)
})

t.test('a client that waits for 100 Continue gets it, once the checks have passed', async t => {
  const endpoint = createEndpoint()
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(head([`content-length: ${CALLBACK.length}`, 'expect: 100-continue', 'connection: close']))
  await wire.received(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
  wire.send(CALLBACK)
  t.match(await wire.closed, /HTTP\/1\.1 200 /)
})

t.test('a client that waits for 100 Continue is refused without it', async t => {
  const port = await listen(t, createEndpoint().app)
  for (const [headers, status] of [[['content-length: 5000'], 413], [['content-length: 5', 'x-forwarded-for: x'], 403]] as const) {
    const wire = await openWire(t, status === 403 ? await listen(t, createEndpoint({ allowFrom: [] }).app) : port)
    wire.send(head([...headers, 'expect: 100-continue']).replace('POST', status === 403 ? 'PUT' : 'POST'))
    t.match(await wire.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
  }
})

t.test('pipelined callbacks are answered each, in order', async t => {
  let count = 0
  const endpoint = createEndpoint({}, {
    // The first to come is the last to be durable.
    accept: async () => {
      const number = ++count
      for (let turn = 0; turn < 30 / number; turn++) await new Promise(resolve => setImmediate(resolve))
      return { kind: 'accepted', eventId: `evt_${number}` }
    }
  })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(post(CALLBACK) + post(CALLBACK) + post(CALLBACK, ['connection: close']))
  const text = await wire.closed
  t.strictSame([...text.matchAll(/evt_\d/g)].map(String), ['evt_1', 'evt_2', 'evt_3'])
})

t.test('what is no HTTP is answered 400 and closed', async t => {
  const endpoint = createEndpoint()
  const port = await listen(t, endpoint.app)
  const texts = ['\x16\x03\x01\x00\xa5', 'hello\r\n\r\n', 'POST / HTTP/9.9\r\n\r\n',
    head(['content-length: 5', 'transfer-encoding: chunked']) + '0\r\n\r\n', head(['content-length: -1']), head(['a b: c'])]
  for (const text of texts) {
    const wire = await openWire(t, port)
    wire.send(Buffer.from(text, 'latin1'))
    t.match(await wire.closed, /^HTTP\/1\.1 400 Bad Request\r\n[^]*"status":400}$/)
  }
  t.match(endpoint.facts, texts.map(() => ({ status: 400, reason: 'not-http', source: '127.0.0.1' })))
})

t.test('headers over their limit are answered 431 and closed', async t => {
  const wire = await openWire(t, await listen(t, createEndpoint().app))
  wire.send(head([`x: ${'y'.repeat(20_000)}`]))
  t.match(await wire.closed, /^HTTP\/1\.1 431 /)
})

t.test('headers too many to be told apart are refused, not dropped: the last X-Forwarded-For is the one that counts', async t => {
  for (const [first, last, status, reason] of [[SENDER, STRANGER, 403, 'address'], [STRANGER, SENDER, 431, 'headers']] as const) {
    const endpoint = createEndpoint({ allowFrom: [SENDER], trustedProxies: ['127.0.0.1'] })
    const wire = await openWire(t, await listen(t, endpoint.app))
    const many = [`x-forwarded-for: ${first}`, ...Array.from({ length: 2_100 }, () => 'a:'), `x-forwarded-for: ${last}`]
    wire.send(post(CALLBACK, [...many, 'connection: close']))
    t.match(await wire.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
    t.match(endpoint.facts, [{ reason, source: last }])
    t.equal(endpoint.arrivals.length, 0)
  }
})
