/** Each kind of value: what is read as what, and what is refused. */
import t from '../support/tap.js'
import fc from 'fast-check'
import { READERS, type Kind } from '../../src/config/kinds.js'
import { readSmallFile } from '../../src/config/small-file.js'

const OUTSIDE = { env: {}, readFile: readSmallFile }

const read = (kind: Kind, written: string | number | boolean): unknown => READERS[kind](written, OUTSIDE)
const key = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`

const READ: ReadonlyArray<[kind: Kind, written: string | number, value?: unknown]> = [
  ['address', '127.0.0.1:8081', { host: '127.0.0.1', port: 8081 }],
  ['address', 'localhost:0', { host: 'localhost', port: 0 }],
  ['address', '[::]:8080', { host: '::', port: 8080 }],
  ['address', '[2001:db8::1]:65535', { host: '2001:db8::1', port: 65_535 }],
  ['node', 'redis-1.internal:6379'],
  ['route', '/'],
  ['route', '/webhooks/fotor'],
  ['route', '/webhooks/fotor/'],
  ['route', '/webhooks/x'],
  ['route', "/w/a-b_c.d~e!$&'+,;=@9"],
  ['network', '54.212.95.175'],
  ['network', '10.0.0.0/8'],
  ['network', '10.1.2.3/8'],
  ['network', '::1'],
  ['network', '2001:db8::/32'],
  ['network', '::ffff:1.2.3.4'],
  ['httpUrl', 'http://billing.internal:9001/hooks/fotor'],
  ['httpUrl', 'https://user:word@[::1]:9001/?token=a'],
  ['httpUrl', 'HTTP://BILLING/'],
  ['redisUrl', ''],
  ['redisUrl', 'redis://localhost'],
  ['redisUrl', 'rediss://:word@redis.internal:6380/1'],
  ['redisUrl', 'unix:///run/redis/redis.sock'],
  ['secret', key(16)],
  ['secret', key(24)],
  ['secret', key(64)],
  ['secret', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ['secret', 'v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ['secret', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa+/'],
  ['secret', key(20).replace('=', ''), key(20)],
  ['secret', key(19).replaceAll('=', ''), key(19)],
  ['token', 'a-token_with+marks/9='],
  ['headerValue', 'Bearer a b'],
  ['headerValue', 'caf\u00e9'],
  ['subscriberName', 'a'],
  ['subscriberName', 'a' + '-9'.repeat(31)],
  ['tokenName', 'alice@example.com'],
  ['redisPrefix', 'relay.eu-1'],
  ['status', 1, 1],
  ['status', '1', 1],
  ['status', -1, -1],
  ['status', '-1', -1],
  ['typePattern', 'avatar'],
  ['typePattern', 'image*'],
  ['typePattern', '*']
]
for (const [kind, written, value = written] of READ) {
  t.test(`${kind}: ${written} is read`, async t => { t.strictSame(read(kind, written), { value }) })
}

const REFUSED: ReadonlyArray<[kind: Kind, written: string | number | boolean]> = [
  ['address', ''], ['address', ':8080'], ['address', '8080'], ['address', 8080], ['address', '*:8080'], ['address', '127.0.0.1'], ['address', '127.0.0.1:'],
  ['address', '127.0.0.1:65536'], ['address', '127.0.0.1:-1'], ['address', '127.0.0.1:http'], ['address', '256.0.0.1:80'], ['address', '1.2.3:80'],
  ['address', '::1:8080'], ['address', '[::1]'], ['address', '[1.2.3.4]:80'], ['address', '[x]:80'], ['address', 'a b:80'], ['address', 'http://a:80'], ['address', true],
  ['node', 'redis-1'], ['node', 'redis-1:0'],
  ['route', ''], ['route', 'webhooks'], ['route', '/a?b'], ['route', '/a#b'], ['route', '/:a'], ['route', '/a*'], ['route', '/a b'], ['route', '/a%2fb'],
  ['route', '/a//b'], ['route', '//'], ['route', '/a/../b'], ['route', '/a/..'], ['route', '/./a'], ['route', '/\u00fc'], ['route', '/' + 'a'.repeat(512)],
  ['network', ''], ['network', '1.2.3'], ['network', '010.0.0.1'], ['network', '0x7f.0.0.1'], ['network', '2130706433'], ['network', '1.2.3.4/33'], ['network', '1.2.3.4/'],
  ['network', '1.2/16'], ['network', '::1/129'], ['network', 'fe80::1%eth0'], ['network', 'localhost'], ['network', '1.2.3.4 '], ['network', '1.2.3.4, 1.2.3.5'],
  ['httpUrl', ''], ['httpUrl', 'billing:9001'], ['httpUrl', 'http://'], ['httpUrl', 'http:billing'], ['httpUrl', 'ftp://a/'],
  ['httpUrl', 'file:///a'], ['httpUrl', ' http://a/'], ['httpUrl', 'http://a/\n'], ['httpUrl', 'http://a:99999/'], ['httpUrl', 5],
  ['redisUrl', 'localhost:6379'], ['redisUrl', 'http://localhost'], ['redisUrl', 'redis:localhost'],
  ['redisUrl', 'unix://run/redis.sock'], ['redisUrl', 'unix:/run/redis.sock'], ['redisUrl', 'unix:///'], ['redisUrl', 'unix:///a?b=c'], ['redisUrl', 'unix:///a b'],
  ['secret', ''], ['secret', 'whsec_'], ['secret', key(15)], ['secret', key(65)], ['secret', 'whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], ['secret', key(24) + '\n'],
  ['secret', key(19).replace('=', '')], ['secret', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa.~'], ['secret', 'v2,' + key(24)], ['secret', 'v1,v1,' + key(24)],
  ['token', ''], ['token', ' '], ['token', 'a b'], ['token', 'a\n'], ['token', '\u00fc'], ['token', 'a'.repeat(1025)], ['token', 12_345],
  ['headerValue', ''], ['headerValue', ' '], ['headerValue', 'a\r\nB: c'], ['headerValue', 'a\u0000'], ['headerValue', '\u2713'], ['headerValue', 1], ['headerValue', true],
  ['subscriberName', ''], ['subscriberName', 'A'], ['subscriberName', '9a'], ['subscriberName', '-a'], ['subscriberName', 'a_b'], ['subscriberName', 'a'.repeat(64)], ['subscriberName', 'a\n'],
  ['tokenName', ''], ['tokenName', 'a b'], ['redisPrefix', ''], ['redisPrefix', '{a}'], ['redisPrefix', 'a:b'],
  ['status', 1.5], ['status', '1.0'], ['status', 'completed'], ['status', ''], ['status', true], ['status', '99999999999999999999'],
  ['typePattern', ''], ['typePattern', 'a*b'], ['typePattern', '**'], ['text', ''], ['optionalText', 5],
  ['pemFile', ''], ['pemFile', '/none'], ['pemFile', 'package.json'], ['pemFile', 'test']
]
for (const [kind, written] of REFUSED) {
  t.test(`${kind}: ${JSON.stringify(written).slice(0, 40)} is refused`, async t => { t.match(read(kind, written), { problem: /^\S.*\S$/ }) })
}

t.test('no refusal repeats what it was given', async t => {
  const kinds = Object.keys(READERS) as Kind[]
  fc.assert(fc.property(fc.constantFrom(...kinds), fc.stringMatching(/^[g-z]{12,20}[#<>%\\]{1,3}$/), (kind, text) => {
    t.notOk(JSON.stringify(read(kind, text)).includes(text) && 'problem' in (read(kind, text) as object))
  }))
})

t.test('a PEM file is read as its text', async t => {
  t.match(read('pemFile', 'test/config/tls/one.crt'), { value: /^-----BEGIN CERTIFICATE-----/ })
})
