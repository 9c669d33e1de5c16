/** What changed between two configurations: where, never what. */
import t from '../support/tap.js'
import { changesBetween } from '../../src/config/changes.js'
import { needsRestart } from '../../src/config/restart-keys.js'
import { configOf } from './config-of.js'

const BASE = `
admin: { tokens: [{ name: alice, value: alice-token }, { name: bob, value: bob-token }] }
subscribers:
  - { name: billing, url: "http://billing.internal/", headers: { X-Team: media }, match: { types: [avatar] } }
  - { name: orders, url: "http://orders.internal/", match: { fields: { kind: [a] } } }
`

const TABLE: ReadonlyArray<[says: string, from: string | RegExp, to: string, changes: string[]]> = [
  ['nothing', '', '', []],
  ['the order of subscribers and tokens', /^[^]*$/, `
admin: { tokens: [{ name: bob, value: bob-token }, { name: alice, value: alice-token }] }
subscribers:
  - { name: orders, url: "http://orders.internal/", match: { fields: { kind: [a] } } }
  - { name: billing, url: "http://billing.internal/", headers: { X-Team: media }, match: { types: [avatar] } }
`, []],
  ['a default written out', /^/, 'dedupe: { window: 7d }', []],
  ['a value', /^/, 'dedupe: { window: 6d }', ['dedupe.window']],
  ['values with units', /^/, 'ingest: { maxBody: 2mb, rateLimit: { per: 2m } }\nshutdownGrace: 1s', ['ingest.maxBody', 'ingest.rateLimit.per', 'shutdownGrace']],
  ['a list', /^/, 'ingest: { allowFrom: [10.0.0.1] }', ['ingest.allowFrom']],
  ['a listener', /^/, 'ingest: { listen: "0.0.0.0:9999" }', ['ingest.listen']],
  ['TLS that comes', /^/, 'ingest: { tls: { certFile: test/config/tls/one.crt, keyFile: test/config/tls/one.key } }', ['ingest.tls added']],
  ['an address of Redis', /^/, 'redis: { url: "redis://:hush@h:1", password: hush }', ['redis.url', 'redis.password']],
  ['Redis behind Sentinel', /^/, 'redis: { sentinel: { name: main, nodes: ["s:1"] } }', ['redis.sentinel added']],
  ['the spool', /^/, 'spool: { enabled: false, dir: /elsewhere, maxBytes: 2mb }', ['spool.enabled', 'spool.dir', 'spool.maxBytes']],
  ['a data directory', /^/, 'dataDir: /elsewhere', ['dataDir']],
  ['when alerts are told', /^/, 'alerts: { after: 2m }', ['alerts.after']],
  ['a receiver of alerts', /^/, 'alerts: { receivers: [{ name: on-call, url: "http://hush/" }] }', ['alerts.receivers.on-call added']],
  ['a token', 'alice-token', 'hush', ['admin.tokens.alice.value']],
  ['a token that goes', '{ name: alice, value: alice-token }, ', '', ['admin.tokens.alice removed']],
  ['a URL', 'billing.internal', 'hush.internal', ['subscribers.billing.url']],
  ['a header', 'X-Team: media', 'X-Team: hush', ['subscribers.billing.headers.X-Team']],
  ['another header', 'X-Team: media', 'X-Team: media, X-Token: hush', ['subscribers.billing.headers.X-Token']],
  ['a match', '[avatar]', '[avatar, "image*"]', ['subscribers.billing.match.types']],
  ['the values of a field', 'kind: [a]', 'kind: [b]', ['subscribers.orders.match.fields.kind']],
  ['a field', 'kind: [a]', 'kind: [a], "list[].host": [b]', ['subscribers.orders.match.fields.list[].host']],
  ['a subscriber that goes', /\n.*orders.*/, '', ['subscribers.orders removed']],
  ['a subscriber that comes', /$/, '  - { name: mail, url: "http://mail.internal/" }\n', ['subscribers.mail added']],
  ['a rate limit that comes', 'orders.internal/"', 'orders.internal/", rateLimit: { max: 1, per: 1s }', ['subscribers.orders.rateLimit added']],
  ['a policy of all', /^/, 'delivery: { timeout: 1s }', ['subscribers.billing.timeout', 'subscribers.orders.timeout']],
  ['a number in a policy', 'orders.internal/"', 'orders.internal/", retry: { max: 1h }', ['subscribers.orders.retry.max']],
  ['another sort of policy', 'orders.internal/"', 'orders.internal/", retry: [1s]', ['subscribers.orders.retry']]
]
for (const [says, from, to, changes] of TABLE) {
  t.test(`${says}: ${changes.join(', ') || 'no change'}`, async t => {
    t.strictSame(changesBetween(await configOf(BASE), await configOf(BASE.replace(from, to))), changes)
  })
}

t.test('what goes is the reverse of what comes', async t => {
  const tls = await configOf('ingest: { tls: { certFile: test/config/tls/one.crt, keyFile: test/config/tls/one.key } }')
  t.strictSame(changesBetween(tls, await configOf('')), ['ingest.tls removed'])
})

t.test('a rotated certificate is a change of its files', async t => {
  const tls = (name: string): string => `ingest: { tls: { certFile: test/config/tls/${name}.crt, keyFile: test/config/tls/${name}.key } }`
  t.strictSame(changesBetween(await configOf(tls('one')), await configOf(tls('other'))), ['ingest.tls.certFile', 'ingest.tls.keyFile'])
})

const RESTART: ReadonlyArray<[change: string, key: string | undefined]> = [
  ['ingest.listen', 'ingest.listen'],
  ['admin.listen', 'admin.listen'],
  ['dataDir', 'dataDir'],
  ['redis.url', 'redis.url'],
  ['spool.enabled', 'spool.enabled'],
  ['spool.dir', 'spool.dir'],
  ['spool.maxBytes', 'spool.maxBytes'],
  ['redis.prefix', 'redis.prefix'],
  ['redis.sentinel added', 'redis.sentinel'],
  ['ingest.tls added', 'ingest.tls'],
  ['ingest.tls removed', 'ingest.tls'],
  ['ingest.tls.certFile', undefined],
  ['ingest.path', undefined],
  ['admin.tokens.alice.value', undefined],
  ['dedupe.window', undefined],
  ['subscribers.redis.url', undefined],
  ['subscribers.orders added', undefined]
]
for (const [change, key] of RESTART) {
  t.test(`${change} ${key === undefined ? 'needs no restart' : 'needs a restart'}`, async t => { t.equal(needsRestart(change)?.join('.'), key) })
}
