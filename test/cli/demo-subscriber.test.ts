import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from '../support/tap.js'
import { startDemoSubscriber, type Received } from '../../src/cli/demo/subscriber.js'

const KEY = Buffer.from('a key of the test, 24 bytes')
const SECRET = 'whsec_' + KEY.toString('base64')
const BODY = '{"taskId":"t","status":1,"type":"avatar"}'

const signature = (key: Buffer, timestamp: number) => 'v1,' + createHmac('sha256', key).update(`evt_1.${timestamp}.${BODY}`).digest('base64')
const NOW = Math.floor(Date.now() / 1_000)

/** What is signed how, and what the subscriber makes of it. */
const DELIVERIES: ReadonlyArray<[says: string, signatures: string, timestamp: number, status: number, trust: Received['trust']]> = [
  ['a good signature is believed', signature(KEY, NOW), NOW, 204, 'good'],
  ['one good signature among several is enough', `v1,AAAA ${signature(KEY, NOW)}`, NOW, 204, 'good'],
  ['another key is not', signature(Buffer.from('another key'), NOW), NOW, 401, 'signed by somebody else'],
  ['no signature is not', '', NOW, 401, 'signed by somebody else'],
  ['a good one of long ago is not', signature(KEY, NOW - 600), NOW - 600, 401, 'signed too long ago']
]

t.test('the demo\'s subscriber believes what Standard Webhooks says it may', async t => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  const received: Received[] = []
  const url = new URL(`http://127.0.0.1:${port}/hooks`)
  t.teardown(await startDemoSubscriber({ url, secrets: [SECRET], onReceived: delivery => { received.push(delivery) } }))
  for (const [says, signatures, timestamp, status, trust] of DELIVERIES) {
    const answer = await fetch(url, {
      method: 'POST',
      body: BODY,
      headers: { 'webhook-id': 'evt_1', 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures, 'relay-task-id': 'a%20task', 'relay-attempt': '2' }
    })
    t.equal(answer.status, status, says)
    t.match(received.at(-1), { id: 'evt_1', taskId: 'a task', type: 'avatar', attempt: 2, trust }, says)
  }
})
