/**
 * Who is let in, who is not, and how an allowlist that has gone wrong is
 * noticed.
 */
import t from '../support/tap.js'
import type { InjectOptions } from 'fastify'
import { CALLBACK, createEndpoint, listen, openWire, PATH, post, SENDER, STRANGER, type Endpoint } from './endpoint.js'

async function send (endpoint: Endpoint, request: InjectOptions = {}) {
  return await endpoint.app.inject({ method: 'POST', url: PATH, remoteAddress: STRANGER, payload: CALLBACK, ...request })
}

t.test('only the addresses of the list are let in', async t => {
  const endpoint = createEndpoint({ allowFrom: [SENDER, '2001:db8::/32', '198.51.100.0/24'] })
  for (const remoteAddress of [SENDER, `::ffff:${SENDER}`, '2001:db8::7', '198.51.100.200']) {
    t.equal((await send(endpoint, { remoteAddress })).statusCode, 200, remoteAddress)
  }
  for (const remoteAddress of [STRANGER, `::ffff:${STRANGER}`, '2001:db9::7', '127.0.0.1', '::1']) {
    t.equal((await send(endpoint, { remoteAddress })).statusCode, 403, remoteAddress)
  }
})

t.test('an empty list lets nobody in', async t => {
  t.equal((await send(createEndpoint({ allowFrom: [] }), { remoteAddress: SENDER })).statusCode, 403)
})

t.test('a stranger cannot forge its address', async t => {
  const forgeries = { 'x-forwarded-for': SENDER, forwarded: `for=${SENDER}`, 'x-real-ip': SENDER, 'x-client-ip': SENDER, 'true-client-ip': SENDER }
  t.equal((await send(createEndpoint(), { headers: forgeries })).statusCode, 403)
})

t.test('behind a trusted proxy, what the stranger itself wrote is not believed', async t => {
  const endpoint = createEndpoint({ trustedProxies: ['10.0.0.0/8'] })
  const remoteAddress = '10.0.0.1'
  t.equal((await send(endpoint, { remoteAddress, headers: { 'x-forwarded-for': SENDER } })).statusCode, 200)
  t.equal((await send(endpoint, { remoteAddress, headers: { 'x-forwarded-for': `${SENDER}, ${STRANGER}` } })).statusCode, 403)
})

t.test('several X-Forwarded-For headers are one list, in their order', async t => {
  const endpoint = createEndpoint({ allowFrom: [SENDER], trustedProxies: ['127.0.0.1'] })
  const port = await listen(t, endpoint.app)
  for (const [first, last, status] of [[SENDER, STRANGER, 403], [STRANGER, SENDER, 200]] as const) {
    const wire = await openWire(t, port)
    wire.send(post(CALLBACK, [`x-forwarded-for: ${first}`, `X-Forwarded-For: ${last}`, 'connection: close']))
    t.match(await wire.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
  }
})

t.test('monitor lets everybody in and flags who is not listed', async t => {
  const endpoint = createEndpoint({ allowlist: 'monitor' })
  t.equal((await send(endpoint)).statusCode, 200)
  t.equal((await send(endpoint, { remoteAddress: SENDER })).statusCode, 200)
  t.strictSame(endpoint.arrivals.map(arrival => arrival.flags), [['unlisted'], []])
  t.equal(endpoint.refused.length, 0)
  t.equal((await send(endpoint, { url: '/elsewhere' })).statusCode, 404, 'the other checks stay')
})

t.test('a denied callback that looks genuine is kept, and its answer is the same', async t => {
  const endpoint = createEndpoint()
  t.equal((await send(endpoint, { headers: { 'content-type': 'text/json' } })).statusCode, 403)
  t.match(endpoint.refused, [{
    budget: 'denied', source: STRANGER, contentType: 'text/json', body: Buffer.from(CALLBACK), field: null, reason: /allowFrom/
  }])
  t.match(endpoint.facts, [{ fact: 'callback.refused', status: 403, sampled: true }])
})

t.test('a denied request that does not look genuine is not kept', async t => {
  const others: InjectOptions[] = [
    { payload: '{}' }, { payload: 'hello' }, { url: '/' }, { method: 'PUT' }, { method: 'GET' },
    { payload: `{"taskId":"a","status":1,"type":"b","x":"${'y'.repeat(70_000)}"}` }
  ]
  for (const other of others) {
    const endpoint = createEndpoint()
    t.equal((await send(endpoint, other)).statusCode, 403)
    t.strictSame(endpoint.refused, [])
    t.match(endpoint.facts, [{ sampled: false }])
  }
})

t.test('a flood of genuine-looking callbacks is sampled, not kept', async t => {
  const endpoint = createEndpoint()
  for (let i = 0; i < 100; i++) t.equal((await send(endpoint)).statusCode, 403)
  t.equal(endpoint.refused.length, 30)
  t.equal(endpoint.facts.length, 100, 'each is counted')
})

t.test('of denied clients that dawdle, four are waited for and the others have their 403 at once', async t => {
  const endpoint = createEndpoint({ allowFrom: [] }, { sampleWithinMs: 3_600_000 })
  const port = await listen(t, endpoint.app)
  const wires = await Promise.all(Array.from({ length: 10 }, async () => await openWire(t, port)))
  let answered = 0
  const sixAnswered = new Promise<void>(resolve => {
    for (const wire of wires) void wire.received(/^HTTP\/1\.1 403 /).then(() => { if (++answered === 6) resolve() })
  })
  for (const wire of wires) wire.send(post(CALLBACK).slice(0, -1))
  await sixAnswered
  const dawdlers = wires.filter(wire => wire.text() === '')
  t.equal(dawdlers.length, 4, 'who are waited for still')
  for (const wire of dawdlers) wire.send(CALLBACK.slice(-1))
  for (const wire of dawdlers) t.match(await wire.closed, /^HTTP\/1\.1 403 /)
  t.equal(endpoint.refused.length, 4, 'what was waited for is kept')
})

t.test('a denied client that dawdles too long has its 403 all the same, and nothing of it is kept', async t => {
  const endpoint = createEndpoint({ allowFrom: [] }, { sampleWithinMs: 50 })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(post(CALLBACK).slice(0, -1))
  t.match(await wire.closed, /^HTTP\/1\.1 403 /)
  t.strictSame(endpoint.refused, [])
})

t.test('a proxy that is not trusted is named, with the line that would fix it', async t => {
  const cases: ReadonlyArray<[trustedProxies: string[], remoteAddress: string, forwardedFor: string, advice: string]> = [
    [[], '172.17.0.1', SENDER, 'trustedProxies: [172.17.0.1/32]'],
    [[], '127.0.0.1', SENDER, 'trustedProxies: [127.0.0.1/32]'],
    [['10.0.0.0/8'], '::ffff:192.168.1.1', SENDER, 'trustedProxies: [10.0.0.0/8, 192.168.1.1/32]'],
    [['10.0.0.0/8'], '10.0.0.1', `${SENDER}, 172.17.0.1`, 'trustedProxies: [10.0.0.0/8, 172.17.0.1/32]'],
    [['fd00::/8'], 'fe80::1', SENDER, 'trustedProxies: ["fd00::/8", "fe80::1/128"]']
  ]
  for (const [trustedProxies, remoteAddress, forwardedFor, advice] of cases) {
    const endpoint = createEndpoint({ allowFrom: [SENDER], trustedProxies })
    t.equal((await send(endpoint, { remoteAddress, headers: { 'x-forwarded-for': forwardedFor } })).statusCode, 403)
    t.match(endpoint.facts[0], { fact: 'callback.proxy-untrusted', advice })
    const line = advice.replaceAll('"', '')
    endpoint.policy = { ...endpoint.policy, trustedProxies: line.slice(line.indexOf('[') + 1, -1).split(', ') }
    t.equal((await send(endpoint, { remoteAddress, headers: { 'x-forwarded-for': forwardedFor } })).statusCode, 200, 'the advice works')
  }
})

t.test('the advice is given once a minute, and only for private proxies that carry X-Forwarded-For', async t => {
  const endpoint = createEndpoint({ allowFrom: [SENDER] })
  const advices = () => endpoint.facts.filter(({ fact }) => fact === 'callback.proxy-untrusted').length
  await send(endpoint, { headers: { 'x-forwarded-for': SENDER } })
  await send(endpoint, { remoteAddress: '172.17.0.1' })
  t.equal(advices(), 0)
  for (let i = 0; i < 5; i++) await send(endpoint, { remoteAddress: `172.17.0.${i}`, headers: { 'x-forwarded-for': SENDER } })
  t.equal(advices(), 1)
})
