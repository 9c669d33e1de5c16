import t from '../support/tap.js'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { sign } from '../../src/outbound/sign.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER = 'whsec_' + Buffer.alloc(32, 7).toString('base64')

t.test('the published vector is met', async t => {
  const signed = sign({ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: Buffer.from('{"test": 2432232314}') }, [SECRET])
  t.equal(signed, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

t.test('every secret of a rotation verifies', async t => {
  const body = Buffer.from('{"taskId":"ä"}')
  const timestamp = Math.floor(Date.now() / 1000)
  const headers = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(timestamp),
    'webhook-signature': sign({ id: 'evt_1', timestamp, body }, [SECRET, OTHER])
  }
  for (const secret of [SECRET, OTHER]) t.strictSame(new Webhook(secret).verify(body, headers), { taskId: 'ä' })
  t.throws(() => new Webhook('whsec_' + Buffer.alloc(32, 8).toString('base64')).verify(body, headers), /No matching signature/)
  t.throws(() => new Webhook(SECRET).verify('{}', headers), /No matching signature/)
})

t.test('any text verifies, byte for byte', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', minLength: 1 }), text => {
    const body = Buffer.from(text)
    const timestamp = Math.floor(Date.now() / 1000)
    new Webhook(SECRET).verify(body, {
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': sign({ id: 'evt_1', timestamp, body }, [SECRET])
    }, { jsonParse: false })
  }))
})
