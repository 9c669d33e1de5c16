/** From a file to a configuration: defaults, inheritance, what comes from outside, and all faults at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from '../support/tap.js'
import { loadConfig, type LoadResult } from '../../src/config/load.js'
import { configOf } from './config-of.js'
import type { Fault } from '../../src/config/fault.js'

const dir = mkdtempSync(join(tmpdir(), 'relay-config-'))
t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })

let files = 0
async function load (text: string, env: Record<string, string> = {}): Promise<LoadResult> {
  const file = join(dir, `${++files}.yaml`)
  writeFileSync(file, text)
  return await loadConfig({ file, env })
}

async function faultsOf (text: string, env: Record<string, string> = {}): Promise<Fault[]> {
  const loaded = await load(text, env)
  return 'faults' in loaded ? loaded.faults : []
}

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const BREAKER = { share: 0.5, failures: 20, windowMs: 60_000, openForMs: 30_000, maxOpenForMs: 600_000 }

const DEFAULTS = {
  ingest: {
    listen: { host: '0.0.0.0', port: 8080 },
    path: '/webhooks/fotor',
    allowFrom: ['54.212.95.175', '44.236.127.35'],
    allowlist: 'enforce',
    trustedProxies: [],
    maxBodyBytes: 1_048_576,
    rateLimit: { max: 120_000, perMs: 60_000, store: 'local' },
    tls: null
  },
  dedupe: { windowMs: 7 * DAY_MS, onConflict: 'forward', onLate: 'keep', ignoreFields: [], claimsMemoryBytes: null },
  admin: { listen: { host: '127.0.0.1', port: 8081 }, tokens: [] },
  redis: { url: null, sentinel: null, cluster: null, username: null, password: null, tls: null, prefix: 'relay', maxMemoryBytes: null, keepRunning: false, waitReplicas: 0 },
  dataDir: resolve('data'),
  spool: { enabled: true, dir: null, maxBytes: 1_073_741_824 },
  retention: { eventsMs: 7 * DAY_MS, failedMs: 30 * DAY_MS, quarantineMs: 7 * DAY_MS, auditMs: 90 * DAY_MS },
  delivery: {
    timeoutMs: 15_000,
    retry: { kind: 'backoff', attempts: 20, initialMs: 5_000, factor: 3, maxMs: 6 * HOUR_MS, jitter: 0.2 },
    maxAgeMs: 3 * DAY_MS,
    throttleMaxMs: 900_000,
    maxBacklog: null,
    concurrency: 16,
    breaker: BREAKER
  },
  subscribers: [],
  alerts: { afterMs: 60_000, repeatMs: 4 * HOUR_MS, receivers: [] },
  shutdownDelayMs: 0,
  shutdownGraceMs: 10_000,
  log: { level: 'info' }
}

const EMPTY: ReadonlyArray<[says: string, text: string]> = [
  ['an empty file', ''],
  ['a file of comments', '# nothing\n\n# here\n'],
  ['a byte order mark alone', '\uFEFF'],
  ['keys with nothing behind them', 'ingest:\nsubscribers:\nredis:\nadmin: { tokens: }\n'],
  ['an empty block', '{}\n']
]
for (const [says, text] of EMPTY) {
  t.test(`${says} means all defaults`, async t => {
    const { asWritten, ...config } = await configOf(text)
    t.strictSame(config, DEFAULTS)
    t.strictSame([...asWritten!.keys()], ['redis.url'])
  })
}

t.test('a subscriber has every default, and those of delivery', async t => {
  const { subscribers } = await configOf('subscribers:\n- name: one\n  url: http://one.internal/\n')
  t.strictSame(subscribers, [{
    name: 'one',
    url: 'http://one.internal/',
    shownUrl: 'http://one.internal/',
    match: { types: [], statuses: [], businessIds: [], fields: {} },
    headers: {},
    secrets: [],
    rateLimit: null,
    concurrency: 16,
    timeoutMs: 15_000,
    retry: { kind: 'backoff', attempts: 20, initialMs: 5_000, factor: 3, maxMs: 6 * HOUR_MS, jitter: 0.2 },
    maxAgeMs: 3 * DAY_MS,
    throttleMaxMs: 900_000,
    maxBacklog: null,
    breaker: BREAKER,
    tls: null,
    enabled: true
  }])
})

t.test('everything that may be written is taken up', async t => {
  const config = await configOf(`
ingest:
  listen: "[::]:9080"
  path: "/webhooks/\${PATH_TOKEN}"
  allowFrom: [10.0.0.0/8, "2001:db8::/32"]
  allowlist: monitor
  trustedProxies: [192.168.0.1]
  maxBody: 256kb
  rateLimit: { max: 10, per: 1s, store: redis }
  tls: { certFile: test/config/tls/one.crt, keyFile: test/config/tls/one.key }
dedupe: { window: 1d, onConflict: hold, onLate: forward, ignoreFields: [updateTime], claimsMemory: 512mb }
admin:
  listen: 0.0.0.0:9081
  tokens:
    - "\${ADMIN_TOKEN}"
    - { name: alice, value: "\${ALICE_TOKEN}" }
    - { name: bob, value: bob-token-of-20-chars, role: viewer }
redis:
  sentinel: { name: main, nodes: [s1:26379, s2:26379] }
  username: relay
  password: "\${REDIS_PASSWORD}"
  tls: { caFile: test/config/tls/one.crt }
  prefix: eu
  maxMemory: 2048mb
dataDir: /var/lib/relay
spool: { enabled: false, dir: /var/spool/relay, maxBytes: 64mb }
retention: { events: 1d, failed: 2d, quarantine: 3d, audit: 4d }
delivery: { timeout: 1s, retry: [1s, 1m], maxAge: 1h, concurrency: 2 }
shutdownDelay: 5s
shutdownGrace: 20s
log: { level: debug }
subscribers:
  - name: billing
    url: https://billing.internal/
    match: { types: [avatar, "image*"], statuses: [1, "2"], businessIds: ["42"], fields: { "images[].url": ["https://*"], credits: [12345678901234567890, 1.0, -5e3, true, "*"] } }
    headers: { Authorization: "Bearer \${BILLING_TOKEN}", X-Team: media }
    secrets: ["\${BILLING_SECRET}"]
    rateLimit: { max: 50, per: 1s }
    concurrency: 4
    timeout: 2s
    retry: { attempts: 3, initial: 1s, factor: 2, max: 1m, jitter: 0 }
    maxAge: 2h
    tls: { caFile: test/config/tls/other.crt, certFile: test/config/tls/one.crt, keyFile: test/config/tls/one.key }
    enabled: false
`, { PATH_TOKEN: 'hidden', ADMIN_TOKEN: 'admin-token-of-22-chars', ALICE_TOKEN: 'alice-token-of-22-chars', REDIS_PASSWORD: 'word', BILLING_TOKEN: 'b', BILLING_SECRET: SECRET })
  const { ingest, admin, redis, subscribers } = config
  t.match(ingest, { listen: { host: '::', port: 9080 }, path: '/webhooks/hidden', allowlist: 'monitor', maxBodyBytes: 262_144, rateLimit: { max: 10, perMs: 1_000, store: 'redis' } })
  t.match(ingest.tls, { cert: /CERTIFICATE/, key: /PRIVATE KEY/ })
  t.strictSame(config.dedupe, { windowMs: DAY_MS, onConflict: 'hold', onLate: 'forward', ignoreFields: ['updateTime'], claimsMemoryBytes: 536_870_912 })
  t.strictSame(admin.tokens, [
    { name: 'token-1', value: 'admin-token-of-22-chars', role: 'operator' },
    { name: 'alice', value: 'alice-token-of-22-chars', role: 'operator' },
    { name: 'bob', value: 'bob-token-of-20-chars', role: 'viewer' }
  ])
  t.match(redis, { url: null, sentinel: { name: 'main', nodes: ['s1:26379', 's2:26379'] }, cluster: null, username: 'relay', password: 'word', prefix: 'eu', maxMemoryBytes: 2_147_483_648 })
  t.match(redis.tls, { enabled: true, ca: /CERTIFICATE/ })
  t.match(config, { dataDir: '/var/lib/relay', spool: { enabled: false, dir: '/var/spool/relay', maxBytes: 67_108_864 }, shutdownDelayMs: 5_000, shutdownGraceMs: 20_000, log: { level: 'debug' } })
  t.match(subscribers[0], {
    match: {
      types: ['avatar', 'image*'],
      statuses: [1, 2],
      businessIds: ['42'],
      fields: { 'images[].url': ['https://*'], credits: ['12345678901234567890', '1.0', '-5e3', 'true', '*'] }
    },
    headers: { Authorization: 'Bearer b', 'X-Team': 'media' },
    secrets: [SECRET],
    rateLimit: { max: 50, perMs: 1_000 },
    concurrency: 4,
    timeoutMs: 2_000,
    retry: { kind: 'backoff', attempts: 3, initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0 },
    maxAgeMs: 7_200_000,
    throttleMaxMs: 900_000,
    maxBacklog: null,
    tls: { ca: /CERTIFICATE/, cert: /CERTIFICATE/, key: /PRIVATE KEY/ },
    enabled: false
  })
})

const ONE = 'subscribers:\n- name: one\n  url: http://one.internal/\n'

t.test('a backlog is bounded where the file says so, and by a subscriber\'s own bound first', async t => {
  const config = await configOf(`delivery: { maxBacklog: 1000 }\n${ONE}- { name: two, url: "http://two.internal/", maxBacklog: 1 }\n`)
  t.equal(config.delivery.maxBacklog, 1_000)
  t.strictSame(config.subscribers.map(({ maxBacklog }) => maxBacklog), [1_000, 1])
})

t.test('a subscriber\'s own breaker takes what it leaves out from delivery, and either may be switched off', async t => {
  const { subscribers: [own, off] } = await configOf(`delivery: { breaker: { failures: 5, openFor: 1m, maxOpenFor: 1s } }
${ONE}  breaker: { share: 0.9 }
- name: two
  url: http://two.internal/
  breaker: { enabled: false }
`)
  t.strictSame(own!.breaker, { ...BREAKER, failures: 5, share: 0.9, openForMs: 60_000, maxOpenForMs: 60_000 }, 'never shorter at most than at first')
  t.equal(off!.breaker, null)
  t.equal((await configOf(`delivery: { breaker: { enabled: false } }\n${ONE}`)).subscribers[0]!.breaker, null)
})

t.test('a subscriber takes from delivery what it does not say', async t => {
  const { subscribers } = await configOf('delivery: { timeout: 1s, concurrency: 2, maxAge: 1h, retry: { attempts: 5, max: 1m } }\n' + ONE + '  retry: { attempts: 9 }\n')
  t.match(subscribers[0], { timeoutMs: 1_000, concurrency: 2, maxAgeMs: HOUR_MS })
  t.strictSame(subscribers[0]?.retry, { kind: 'backoff', attempts: 9, initialMs: 5_000, factor: 3, maxMs: 60_000, jitter: 0.2 })
})

t.test('a list of waits is taken as it is, and caps Retry-After as the default does', async t => {
  const { subscribers } = await configOf('delivery: { retry: [5s, 1m, 10m] }\n' + ONE)
  t.strictSame(subscribers[0]?.retry, { kind: 'list', waitsMs: [5_000, 60_000, 600_000], maxMs: 6 * HOUR_MS })
})

t.test('a growing wait over a list takes the rest from the schema', async t => {
  const { subscribers } = await configOf('delivery: { retry: [5s] }\n' + ONE + '  retry: { initial: 1s }\n')
  t.strictSame(subscribers[0]?.retry, { kind: 'backoff', attempts: 20, initialMs: 1_000, factor: 3, maxMs: 6 * HOUR_MS, jitter: 0.2 })
})

t.test('RELAY_REDIS_URL is the address of Redis, and empty it is none', async t => {
  t.equal((await configOf('', { RELAY_REDIS_URL: 'redis://h:1' })).redis.url, 'redis://h:1')
  t.equal((await configOf('', { RELAY_REDIS_URL: '' })).redis.url, null)
  t.equal((await configOf('redis: { url: "" }', { RELAY_REDIS_URL: 'redis://h:1' })).redis.url, null)
})

t.test('numbers and flags may come from outside', async t => {
  const { subscribers } = await configOf(ONE + '  concurrency: "$' + '{N}"\n  enabled: "$' + '{ON}"\n', { N: '7', ON: 'false' })
  t.match(subscribers[0], { concurrency: 7, enabled: false })
})

t.test('what comes from outside cannot change the structure of the file', async t => {
  const value = 'x", "evil": { "a": 1 }, #\n- more: *alias'
  t.match(await faultsOf('dataDir: "$' + '{V}"\nlog: { level: "$' + '{V}" }', { V: value }), [{ path: 'log.level', line: 2 }])
  t.equal((await configOf('dataDir: "/$' + '{V}"\n', { V: 'a: b' })).dataDir, '/a: b')
})

t.test('a secret file is read again at every load', async t => {
  const secret = join(dir, 'secret')
  const text = `admin: { tokens: ["\${file:${secret}}"] }\n\n`
  writeFileSync(secret, 'before\n')
  t.equal((await configOf(text)).admin.tokens[0]?.value, 'before')
  writeFileSync(secret, 'after\n')
  t.equal((await configOf(text)).admin.tokens[0]?.value, 'after')
})

t.test('anchors and aliases are read, and a fault in one points at the anchor', async t => {
  const text = `
subscribers:
  - name: one
    url: http://one.internal/
    match: &images
      types: ["image*"]
  - name: two
    url: http://two.internal/
    match: *images
`
  t.strictSame((await configOf(text)).subscribers[1]?.match.types, ['image*'])
  t.match(await faultsOf(text.replace('image*', 'im*ge')), [{ path: 'subscribers[0].match.types[0]', line: 6 }, { path: 'subscribers[1].match.types[0]', line: 6 }])
})

t.test('aliases of aliases are bounded', async t => {
  const levels = Array.from({ length: 20 }, (_, at) => `k${at + 1}: &k${at + 1} [${Array(9).fill(`*k${at}`).join(', ')}]`)
  const faults = await faultsOf(`k0: &k0 [a]\n${levels.join('\n')}\n`)
  t.match(faults, [{ path: '', message: /too large/ }])
})

t.test('a name like __proto__ is a name like any other', async t => {
  t.match(await faultsOf('__proto__: { polluted: true }\nconstructor: 1\n'), [{ path: '__proto__' }, { path: 'constructor' }])
  const { subscribers } = await configOf(ONE + '  headers: { __proto__: x }\n')
  t.strictSame(Object.keys(subscribers[0]!.headers), ['__proto__'])
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})

t.test('all faults are listed at once, in the order of the file', async t => {
  const faults = await faultsOf(`
ingest:
  lsten: 0.0.0.0:8080
  maxBody: 5
admin:
  listen: 0.0.0.0:8081
redis: { url: redis://a, cluster: { nodes: [b:1] } }
delivery: { timeout: 15 }
delivery: { timeout: 16 }
subscribers:
  - name: one
    url: "\${ONE_URL}"
    secrets: [""]
    headers: { Host: a, X: "\${file:/none}" }
  - name: one
`)
  t.strictSame(faults.map(({ path, line }) => [line, path]), [
    [3, 'ingest.lsten'],
    [4, 'ingest.maxBody'],
    [6, 'admin.tokens'],
    [7, 'redis.cluster'],
    [9, 'delivery'],
    [9, 'delivery.timeout'],
    [12, 'subscribers[0].url'],
    [13, 'subscribers[0].secrets[0]'],
    [14, 'subscribers[0].headers.Host'],
    [14, 'subscribers[0].headers.X'],
    [15, 'subscribers[1].url'],
    [15, 'subscribers[1].name']
  ])
})

t.test('a missing file is a fault that names it and says what to do', async t => {
  const file = join(dir, 'none.yaml')
  const loaded = await loadConfig({ file, env: {} })
  t.strictSame(loaded, {
    faults: [{
      path: '',
      message: `the configuration file ${file} does not exist`,
      line: null,
      column: null,
      hint: 'copy the shipped config/relay.yaml there, or name another file with --config FILE or RELAY_CONFIG'
    }]
  })
})

t.test('a folder is not a configuration', async t => {
  t.match(await loadConfig({ file: dir, env: {} }), { faults: [{ message: `the configuration file ${dir} is a directory` }] })
})
