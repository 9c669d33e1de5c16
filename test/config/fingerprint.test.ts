/** The fingerprint of a configuration: equal for equal ones, and no way back. */
import { createHook } from 'node:async_hooks'
import t from '../support/tap.js'
import { changesBetween } from '../../src/config/changes.js'
import { COST, fingerprintOf } from '../../src/config/fingerprint.js'
import { configOf } from './config-of.js'

const SALT = 'a salt'
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER_SECRET = 'whsec_aHVzaGh1c2hodXNoaHVzaGh1c2hodXNo'

const BASE = `
admin: { tokens: [{ name: alice, value: alice-token }, { name: bob, value: bob-token }] }
subscribers:
  - { name: billing, url: "http://billing.internal/\${AREA:-eu}", headers: { X-Team: media, Authorization: "\${TOKEN:-one}" }, secrets: [${SECRET}] }
  - { name: orders, url: "http://orders.internal/" }
`

async function fingerprint (text: string, env: Record<string, string> = {}): Promise<string> {
  return await fingerprintOf(await configOf(text, env), SALT)
}

const BASE_FINGERPRINT = await fingerprint(BASE)

const SAME: ReadonlyArray<[says: string, from: string | RegExp, to: string]> = [
  ['nothing', '', ''],
  ['the order of subscribers and tokens', /^[^]*$/, `
admin: { tokens: [{ name: bob, value: bob-token }, { name: alice, value: alice-token }] }
subscribers:
  - { name: orders, url: "http://orders.internal/" }
  - { name: billing, url: "http://billing.internal/eu", headers: { X-Team: media, Authorization: one }, secrets: [${SECRET}] }
`],
  ['the order of headers, and where a value comes from', /headers: {.*}, secrets/, 'headers: { Authorization: one, X-Team: media }, secrets'],
  ['a default written out', /^/, 'dedupe: { window: 7d }'],
  ['where callbacks arrive', /^/, 'ingest: { listen: "0.0.0.0:9999" }'],
  ['where operators are heard', 'admin: {', 'admin: { listen: "127.0.0.1:9998",'],
  ['its own directory', /^/, 'dataDir: /elsewhere'],
  ['its way to Redis, and the password on it', /^/, 'redis: { url: "redis://:hush@h:1", password: hush }'],
  ['how it stops', /^/, 'shutdownDelay: 10s\nshutdownGrace: 1m'],
  ['how much it logs', /^/, 'log: { level: debug }']
]
for (const [says, from, to] of SAME) {
  t.test(`replicas may differ in: ${says}`, async t => {
    t.equal(await fingerprint(BASE.replace(from, to)), BASE_FINGERPRINT)
  })
}

const DIFFERENT: ReadonlyArray<[says: string, from: string | RegExp, to: string, env?: Record<string, string>]> = [
  ['a value', /^/, 'dedupe: { window: 6d }'],
  ['who may call', /^/, 'ingest: { allowFrom: [10.0.0.1] }'],
  ['a secret path', /^/, 'ingest: { path: /webhooks/fotor/hush }'],
  ['a certificate', /^/, 'ingest: { tls: { certFile: test/config/tls/one.crt, keyFile: test/config/tls/one.key } }'],
  ['a rotated webhook secret', SECRET, OTHER_SECRET],
  ['one more webhook secret', SECRET, `${SECRET}, ${OTHER_SECRET}`],
  ['a rotated token', 'alice-token', 'hush'],
  ['the value of a header', 'X-Team: media', 'X-Team: hush'],
  ['a variable in a header', '', '', { TOKEN: 'two' }],
  ['a variable in a URL', '', '', { AREA: 'us' }],
  ['a subscriber', /\n.*orders.*/, ''],
  ['a policy of all', /^/, 'delivery: { timeout: 1s }']
]
for (const [says, from, to, env] of DIFFERENT) {
  t.test(`replicas may not differ in: ${says}`, async t => {
    t.not(await fingerprint(BASE.replace(from, to), env), BASE_FINGERPRINT)
    t.not(changesBetween(await configOf(BASE), await configOf(BASE.replace(from, to), env)).length, 0, 'a reload would say so too')
  })
}

t.test('two certificates are two configurations', async t => {
  const tls = (name: string): string => `ingest: { tls: { certFile: test/config/tls/${name}.crt, keyFile: test/config/tls/${name}.key } }`
  t.not(await fingerprint(tls('one')), await fingerprint(tls('other')))
})

t.test('it depends on the salt, so none can be computed beforehand', async t => {
  const config = await configOf(BASE)
  t.not(await fingerprintOf(config, 'a salt'), await fingerprintOf(config, 'another'))
  t.match(await fingerprintOf(config, 'a salt'), /^[0-9a-f]{12}$/)
})

t.test('a guess costs what a guess at a password costs', async t => {
  const config = await configOf('')
  const begun: string[] = []
  const hook = createHook({ init (_, type) { begun.push(type) } }).enable()
  t.teardown(() => { hook.disable() })
  await fingerprintOf(config, SALT)
  t.equal(begun.filter(type => type === 'SCRYPTREQUEST').length, 1)
  t.match(COST, { N: 2 ** 14, r: 8, p: 5 }, 'as OWASP has it')
})
