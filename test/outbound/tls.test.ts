/**
 * HTTPS subscribers: own authorities, client certificates, and every way a
 * certificate can be wrong.
 */
import type { TLSSocket } from 'node:tls'
import t from '../support/tap.js'
import { createOutbound, type Answer } from '../../src/outbound/request.js'
import type { ClientTls } from '../../src/model/subscriber.js'
import { makeCertificates } from '../support/certificates.js'
import { startHttp, subscriberAt } from './servers.js'

const certificates = makeCertificates()
const { ca, client } = certificates
const outbound = createOutbound()
t.teardown(() => { outbound.close() })

let subscribers = 0
async function post (url: string, tls: ClientTls | null): Promise<Answer> {
  const to = subscriberAt(url, { name: `s${subscribers++}`, tls })
  return await outbound.request({ to, headers: {}, body: Buffer.from('{}') })
}

t.test('an own authority is trusted', async t => {
  const server = await startHttp(t, (_, response) => { response.end('ok') }, certificates.server)
  t.match(await post(server.url, { ca }), { status: 200, excerpt: 'ok' })
})

t.test('a client certificate is shown to a server that asks for one', async t => {
  const seen: string[] = []
  const server = await startHttp(t, (request, response) => {
    seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN))
    response.end()
  }, { ...certificates.server, ca, requestCert: true, rejectUnauthorized: true })
  t.match(await post(server.url, { ca, ...client }), { status: 200 })
  t.strictSame(seen, ['client'])
})

t.test('without a client certificate such a server refuses the connection', async t => {
  const server = await startHttp(t, undefined, { ...certificates.server, ca, requestCert: true, rejectUnauthorized: true })
  t.match(await post(server.url, { ca }), { failure: 'connection' })
  t.equal(server.received.length, 0)
})

t.test('TLS connections are kept too, and closed when the material changes', async t => {
  const server = await startHttp(t, undefined, { ...certificates.server, ca, requestCert: true, rejectUnauthorized: false })
  const to = subscriberAt(server.url, { tls: { ca } })
  const request = { to, headers: {}, body: Buffer.from('{}') }
  t.match(await outbound.request(request), { status: 204 })
  await outbound.request(request)
  t.equal(server.connections(), 1)
  await outbound.request({ ...request, to: { ...to, tls: { ca, ...client } } })
  t.equal(server.connections(), 2)
})

/** Each is a failed connection; the error names the fault and nothing of the certificate. */
const FAULTS: ReadonlyArray<[says: string, served: keyof typeof certificates, tls: ClientTls | null, error: string | RegExp]> = [
  ['an unknown authority', 'server', null, /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/],
  ['the wrong authority', 'server', { ca: certificates.strangerCa }, /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/],
  ['a certificate for another name', 'otherName', { ca }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['an expired certificate', 'expired', { ca }, 'CERT_HAS_EXPIRED'],
  ['an unreadable client key', 'server', { ca, cert: client.cert, key: 'no key' }, /^[A-Z0-9_]+$/]
]
for (const [says, served, tls, error] of FAULTS) {
  t.test(`${says} is a failed connection`, async t => {
    const server = await startHttp(t, undefined, certificates[served] as { cert: string, key: string })
    const answer = await post(server.url, tls)
    t.match(answer, { failure: 'connection', error })
    t.equal(server.received.length, 0)
  })
}

t.test('the environment cannot switch checking off', async t => {
  const server = await startHttp(t, undefined, certificates.server)
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  t.teardown(() => { delete process.env.NODE_TLS_REJECT_UNAUTHORIZED })
  t.match(await post(server.url, null), { failure: 'connection' })
})

t.test('plain HTTP on a TLS port, and TLS on a plain port, are failed connections', async t => {
  const tls = await startHttp(t, undefined, certificates.server)
  t.match(await post(tls.url.replace('https:', 'http:'), null), { failure: 'connection' })
  const plain = await startHttp(t)
  t.match(await post(plain.url.replace('http:', 'https:'), null), { failure: 'connection' })
})
