/** A subscriber of a chaos run does what the name of its conduct says. */
import t from '../../support/tap.js'
import { CONDUCTS } from '../../../chaos/conduct.js'
import { createOutbound } from '../../../src/outbound/request.js'
import { subscriberAt } from '../../outbound/servers.js'
import { makeCertificates } from '../../support/certificates.js'
import { startSubscriber } from '../../support/subscriber.js'

/** What the gateway sees of each. */
const SEEN: Record<keyof typeof CONDUCTS, object> = {
  reset: { failure: 'connection', error: 'ECONNRESET' },
  hang: { failure: 'timeout' },
  error: { status: 500 },
  busy: { status: 429, retryAfter: '1' },
  'long-rest': { status: 503, retryAfter: '7200' },
  garbage: { failure: 'connection', error: 'the answer is not HTTP/1.1' },
  short: { failure: 'connection', error: /before the answer was complete, after status 200$/ },
  drip: { failure: 'timeout' },
  late: { failure: 'timeout' },
  endless: { status: 200 },
  odd: { status: 204 },
  'hang-up': { status: 204 }
}

/** Whoever answers has time for it; the others are not waited for. */
const timeoutMsOf = (name: string): number => /^(hang|drip|late)$/.test(name) ? 1_000 : 30_000

const { ca, server: pair } = makeCertificates()

for (const isSecure of [false, true]) {
  for (const [name, { does }] of Object.entries(CONDUCTS)) {
    t.test(`a subscriber is ${name}${isSecure ? ', over TLS' : ''}`, async t => {
      const server = await startSubscriber(does, isSecure ? pair : undefined)
      const outbound = createOutbound()
      t.teardown(async () => {
        outbound.close()
        await server.close()
      })
      const to = subscriberAt(server.url, { timeoutMs: timeoutMsOf(name), tls: isSecure ? { ca } : null })
      const seen = name === 'reset' && isSecure ? { failure: 'connection' } : SEEN[name as keyof typeof CONDUCTS]
      t.match(await outbound.request({ to, headers: {}, body: Buffer.from('{}') }), seen)
      t.equal(server.received.length, 1)
    })
  }
}

t.test('a subscriber that was away listens where it was', async t => {
  const server = await startSubscriber()
  t.teardown(server.close)
  await server.leave()
  await t.rejects(fetch(server.url, { method: 'POST' }))
  await server.comeBack()
  t.equal((await fetch(server.url, { method: 'POST' })).status, 204)
})
