/** What `check` shows: all that is in force, nothing that is secret. */
import t from '../support/tap.js'
import { describeConfig } from '../../src/config/mask.js'
import { configOf } from './config-of.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const lineOf = (text: string, label: string): string | undefined =>
  text.split('\n').find(line => line.trim().startsWith(`${label} `))?.trim().replace(/\s{2,}/, ' | ')

t.test('the defaults are shown in the units of the file', async t => {
  const text = describeConfig(await configOf(''))
  t.equal(lineOf(text, 'listen'), 'listen | 0.0.0.0:8080')
  t.equal(lineOf(text, 'maxBody'), 'maxBody | 1mb')
  t.equal(lineOf(text, 'window'), 'window | 7d')
  t.equal(lineOf(text, 'rateLimit.per'), 'rateLimit.per | 1m')
  t.equal(lineOf(text, 'shutdownDelay'), 'shutdownDelay | 0s')
  t.equal(lineOf(text, 'allowFrom'), 'allowFrom | 54.212.95.175, 44.236.127.35')
  t.equal(lineOf(text, 'url'), 'url | none')
  t.equal(lineOf(text, 'maxMemory'), 'maxMemory | half of what there is')
  t.equal(lineOf(text, 'dir'), 'dir | spool in dataDir')
  t.equal(lineOf(text, 'maxBytes'), 'maxBytes | 1024mb')
})

t.test('without subscribers that is said, and so is what one would get', async t => {
  const text = describeConfig(await configOf('delivery: { timeout: 7s, retry: { attempts: 3 } }'))
  t.match(text, /^delivery\n {2}timeout +7s\n {2}retry\.attempts +3\n/m)
  t.match(text, /^ {2}maxAge +3d$/m)
  t.match(text, /^ {2}concurrency +16$/m)
  t.equal(lineOf(text, 'subscribers'), 'subscribers | none')
  t.notMatch(describeConfig(await configOf('subscribers: [{ name: one, url: "http://one/" }]')), /^subscribers/m)
})

t.test('all values stand in one column', async t => {
  const text = describeConfig(await configOf('subscribers: [{ name: a-subscriber, url: "http://a/", retry: [1s, 2s] }]'))
  const columns = text.split('\n').filter(line => /\S {2,}\S/.test(line)).map(line => /^ *\S+ +/.exec(line)![0].length)
  t.equal(new Set(columns).size, 1)
  t.equal(lineOf(text, 'retry.waits'), 'retry.waits | 1s, 2s')
  t.match(text, /^subscriber a-subscriber$/m)
})

t.test('secrets are counted and named, never shown', async t => {
  const text = describeConfig(await configOf(`
admin: { tokens: [hush-1, { name: alice, value: hush-2, role: viewer }] }
redis: { url: "redis://user:hush-3@redis.internal:6379/0", password: hush-4 }
subscribers:
  - name: one
    url: http://user:hush-5@one.internal/hooks?token=hush-6
    headers: { Authorization: hush-7, X-Team: hush-8 }
    secrets: [${SECRET}, ${SECRET}]
    tls: { caFile: test/config/tls/one.crt, certFile: test/config/tls/one.crt, keyFile: test/config/tls/one.key }
`))
  t.notMatch(text, /hush|MfKQ|BEGIN/)
  t.equal(lineOf(text, 'tokens[0].value'), 'tokens[0].value | ***')
  t.equal(lineOf(text, 'tokens[1].name'), 'tokens[1].name | alice')
  t.equal(lineOf(text, 'tokens[1].role'), 'tokens[1].role | viewer')
  t.match(text, 'redis://***:***@redis.internal:6379/0')
  t.match(text, 'http://***:***@one.internal/hooks?token=***')
  t.equal(lineOf(text, 'headers'), 'headers | Authorization: ***, X-Team: ***')
  t.equal(lineOf(text, 'secrets'), 'secrets | ***, ***')
})

t.test('what comes from outside is shown as it is written', async t => {
  const text = describeConfig(await configOf(`
ingest: { path: "/webhooks/\${PATH_TOKEN}", maxBody: "\${SIZE}" }
subscribers:
  - { name: one, url: "http://user:hush@\${HOST}/\${PATH_TOKEN}?a=hush", match: { types: ["\${PATH_TOKEN}"], fields: { value: [1.50, "\${PATH_TOKEN}"], host: [a], port: [], "a[].cert": ["*", "https://pub*"] } } }
  - { name: two, url: "http://two.internal/" }
`, { PATH_TOKEN: 'hush', HOST: 'one.internal', SIZE: '2mb' }))
  t.notMatch(text, /hush/)
  t.match(text, '/webhooks/$' + '{PATH_TOKEN}')
  t.match(text, '  http://***@$' + '{HOST}/$' + '{PATH_TOKEN}?a=***')
  t.equal(lineOf(text, 'match.types'), 'match.types | $' + '{PATH_TOKEN}')
  t.equal(lineOf(text, 'match.fields.value'), 'match.fields.value | 1.50, $' + '{PATH_TOKEN}', 'a field of a body is no secret, whatever it is called')
  t.equal(lineOf(text, 'match.fields.host'), 'match.fields.host | a')
  t.equal(lineOf(text, 'match.fields.a[].cert'), 'match.fields.a[].cert | *, https://pub*')
  t.equal(lineOf(text, 'match.fields.port'), 'match.fields.port | all')
  t.equal(lineOf(text, 'maxBody'), 'maxBody | 2mb')
  t.match(text, 'http://two.internal/')
})
