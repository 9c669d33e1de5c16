import t from '../support/tap.js'
import { composeHeaders, type ComposeInput } from '../../src/deliver/compose.js'

const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

function composed (changes: { [Part in keyof ComposeInput]?: Partial<ComposeInput[Part]> } = {}): ComposeInput {
  return {
    event: { id: 'evt_01', taskId: 'task-1', receivedAt: AT - 1_000, revision: 2, contentType: 'application/json; charset=utf-8', ...changes.event },
    delivery: { attempts: 3, replayId: null, webhookId: null, ...changes.delivery },
    body: Buffer.from('{}'),
    subscriber: { headers: {}, secrets: [], ...changes.subscriber },
    version: '1.2.3',
    at: AT
  }
}

t.test('these are the headers, and no others', async t => {
  t.strictSame(composeHeaders(composed()), {
    'user-agent': 'fotor-relay/1.2.3',
    'content-type': 'application/json; charset=utf-8',
    'webhook-id': 'evt_01',
    'webhook-timestamp': String(Math.floor(AT / 1000)),
    'relay-task-id': 'task-1',
    'relay-attempt': '4',
    'relay-received-at': '2026-01-02T03:04:04.678Z',
    'relay-revision': '2'
  })
})

t.test('a subscriber with secrets gets one signature for each', async t => {
  const secrets = ['whsec_AAAA', 'whsec_BBBB']
  t.match(composeHeaders(composed({ subscriber: { secrets } }))['webhook-signature'], /^v1,\S{44} v1,\S{44}$/)
})

t.test('a replay is named, and with newId the webhook-id is the one it fixed, which is also what is signed', async t => {
  const secrets = ['whsec_AAAA']
  const before = composeHeaders(composed({ subscriber: { secrets } }))
  const after = composeHeaders(composed({ delivery: { replayId: 'rpl_1', webhookId: 'evt_02' }, subscriber: { secrets } }))
  t.match(after, { 'relay-replay': 'rpl_1', 'webhook-id': 'evt_02' })
  t.not(after['webhook-signature'], before['webhook-signature'])
})

t.test('any taskId fits in a header', async t => {
  const taskId = 'ä b\u{1f600}/?%"\'~'
  const header = composeHeaders(composed({ event: { taskId } }))['relay-task-id']!
  t.match(header, /^[\x21-\x7e]+$/)
  t.equal(decodeURIComponent(header), taskId)
})

t.test('the subscriber\'s own headers are sent, whatever their case, and replace none of ours but user-agent', async t => {
  const headers = {
    Authorization: 'Bearer x',
    'User-Agent': 'mine',
    'Content-Type': 'text/plain',
    'Webhook-Id': 'forged',
    'Relay-Attempt': '0'
  }
  const sent = composeHeaders(composed({ subscriber: { headers } }))
  t.match(sent, {
    authorization: 'Bearer x',
    'user-agent': 'mine',
    'content-type': 'application/json; charset=utf-8',
    'webhook-id': 'evt_01',
    'relay-attempt': '4'
  })
  t.strictSame(Object.keys(sent), Object.keys(sent).map(name => name.toLowerCase()))
})
