/** What a receiver of alerts is sent. */
import { Webhook } from 'standardwebhooks'
import t from '../support/tap.js'
import { composeNotice, composeTest } from '../../src/alerts/message.js'
import { alertOf, receiverAt } from './alert.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const AT = Date.now()
const FROM = { host: 'edge-1', relay: 'relay', version: '1.2.3', at: AT }
const TO = receiverAt('https://alerts.internal/', { headers: { Authorization: 'Bearer hush' }, secrets: [SECRET] })

const ALERT = alertOf('spool-waiting', {
  severity: 'critical', since: AT - 90_000, summary: '3 callbacks wait', figures: { callbacks: 3, oldestAgeSeconds: 90 }
})

t.test('it is JSON, for people and for programs, signed as Standard Webhooks says', async t => {
  const { headers, body } = composeNotice({ notice: 'raised', alert: ALERT }, TO, FROM)
  t.strictSame(new Webhook(SECRET).verify(body, headers), {
    type: 'alert.raised',
    timestamp: new Date(AT).toISOString(),
    text: '[critical] fotor-relay relay edge-1: 3 callbacks wait',
    data: {
      name: 'spool-waiting',
      severity: 'critical',
      subscriber: null,
      summary: '3 callbacks wait',
      figures: { callbacks: 3, oldestAgeSeconds: 90 },
      since: new Date(AT - 90_000).toISOString(),
      resolvedAt: null,
      relay: 'relay',
      host: 'edge-1'
    }
  })
  t.match(headers, { authorization: 'Bearer hush', 'content-type': 'application/json', 'user-agent': 'fotor-relay/1.2.3', 'webhook-id': /^alt_[\w-]{22}$/ })
  t.notMatch(body.toString(), /hush|whsec/)
})

t.test('what is over says after how long', async t => {
  const { body } = composeNotice({ notice: 'resolved', alert: { ...ALERT, endedAt: AT } }, TO, FROM)
  t.match(JSON.parse(body.toString()), {
    type: 'alert.resolved', text: '[resolved] fotor-relay relay edge-1: resolved after 90 s: 3 callbacks wait', data: { resolvedAt: new Date(AT).toISOString() }
  })
})

t.test('what is true of the whole relay names no host: any replica may tell it, under the same id', async t => {
  const due = { notice: 'raised', alert: { ...ALERT, of: 'relay' } } as const
  const [one, other] = ['edge-1', 'edge-2'].map(host => composeNotice(due, TO, { ...FROM, host, at: host === 'edge-1' ? AT : AT + 5_000 }))
  t.match(JSON.parse(one!.body.toString()), { text: '[critical] fotor-relay relay: 3 callbacks wait', data: { host: null } })
  t.equal(one!.headers['webhook-id'], other!.headers['webhook-id'])
})

t.test('every other thing has an id of its own', async t => {
  const told = { 'on-call': { notice: 'raised', at: 1 } } as const
  const ids = [
    composeNotice({ notice: 'raised', alert: ALERT }, TO, FROM),
    composeNotice({ notice: 'resolved', alert: { ...ALERT, endedAt: AT } }, TO, FROM),
    composeNotice({ notice: 'reminder', alert: { ...ALERT, told } }, TO, FROM),
    composeNotice({ notice: 'reminder', alert: { ...ALERT, told: { 'on-call': { notice: 'reminder', at: 2 } } } }, TO, FROM),
    composeNotice({ notice: 'raised', alert: { ...ALERT, since: 1 } }, TO, FROM),
    composeNotice({ notice: 'raised', alert: ALERT }, TO, { ...FROM, host: 'edge-2' }),
    composeNotice({ notice: 'raised', alert: ALERT }, TO, { ...FROM, relay: 'staging' }),
    composeTest(TO, FROM)
  ].map(({ headers }) => headers['webhook-id'])
  t.equal(new Set(ids).size, ids.length)
})

t.test('without secrets it is not signed', async t => {
  t.notOk('webhook-signature' in composeTest(receiverAt('http://alerts.internal/'), FROM).headers)
})
