/** The files in `config/` are true: they load, and say what the schema says. */
import { readFileSync } from 'node:fs'
import t from '../support/tap.js'
import { isLoopback } from '../../src/config/rules.js'
import { relaySchema } from '../../src/config/schema.js'
import { shapeOf, type Shape } from '../../src/config/shape.js'
import { warnings } from '../../src/config/warnings.js'
import { configOf } from './config-of.js'

const SHIPPED = readFileSync('config/relay.yaml', 'utf8')

t.test('relay.yaml needs no environment and says the same as an empty file', async t => {
  t.strictSame(await configOf(SHIPPED), await configOf(''))
})

/** The defaults of `delivery` only show in a subscriber. */
const ONE = '\n  - { name: one, url: "http://one.internal/" }\n'

t.test('what relay.yaml gives every subscriber is what an empty file does', async t => {
  t.strictSame(await configOf(SHIPPED + ONE), await configOf(`subscribers:${ONE}`))
})

t.test('a value in relay.yaml that is not the default would be noticed', async t => {
  for (const [value, other] of [['window: 7d', 'window: 6d'], ['timeout: 15s', 'timeout: 16s'], ['jitter: 0.2', 'jitter: 0.3']] as const) {
    t.notSame(await configOf(SHIPPED.replace(value, other) + ONE), await configOf(`subscribers:${ONE}`), value)
  }
})

t.test('both files point editors at the schema in their first line', async t => {
  for (const file of ['config/relay.yaml', 'config/demo.yaml']) {
    t.equal(readFileSync(file, 'utf8').split('\n')[0], '# yaml-language-server: $schema=./relay.schema.json')
  }
})

/** The comments of the file as running text, uncommented keys and all. */
const PROSE = SHIPPED.replace(/\n( *#)+ */g, ' ').replace(/\s+/g, ' ')

t.test('relay.yaml explains every key in the words of the schema, except where a subscriber repeats delivery', async t => {
  for (const [path, { description = '' }] of entriesOf(shapeOf(relaySchema))) {
    if (/^subscribers\[\]\.(concurrency|timeout|retry|maxAge|breaker|rateLimit\.)/.test(path) || /^(redis\.tls\.|admin\.tokens\[\]\.(name|value))/.test(path)) continue
    t.ok(PROSE.includes(description.replace(/\.$/, '')), `${path}: ${description}`)
  }
})

t.test('relay.yaml shows every key of the schema', async t => {
  const written = new Set([...SHIPPED.matchAll(/^[ #]*(?:- )?([A-Za-z]+):/gm)].map(([, key]) => key))
  for (const [path] of entriesOf(shapeOf(relaySchema))) {
    const key = path.split('.').at(-1)!
    if (/^(redis\.tls\.|admin\.tokens\[\])/.test(path)) continue
    t.ok(written.has(key), path)
  }
})

function entriesOf (shape: Shape, path = ''): Array<[path: string, shape: Shape]> {
  if (shape.items !== undefined) return entriesOf(shape.items, `${path}[]`)
  if (shape.anyOf !== undefined) return shape.anyOf.flatMap(option => entriesOf(option, path))
  return Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => {
    const at = path === '' ? key : `${path}.${key}`
    return [[at, inner] as [string, Shape], ...entriesOf(inner, at)]
  })
}

/** What an editor's "toggle comment" does to the lines from one that matches to the next that is not indented comment. */
function uncomment (text: string, from: RegExp): string {
  const lines = text.split('\n')
  const start = lines.findIndex(line => from.test(line))
  const length = lines.slice(start).findIndex(line => !/^ +#/.test(line))
  return lines.map((line, at) => at >= start && at < start + length ? line.replace(/^( +)# ?/, '$1') : line).join('\n')
}

t.test('the sample subscriber loads when its # are taken away', async t => {
  const env = { BILLING_TOKEN: 'token', BILLING_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }
  const { subscribers } = await configOf(uncomment(SHIPPED, /^ {2}# # Unique name:/), env)
  t.match(subscribers, [{
    name: 'billing', match: { types: ['avatar', 'image*'], statuses: [1, 2] }, headers: { Authorization: 'Bearer token' }, concurrency: 4, retry: { attempts: 10, initialMs: 5_000 }, tls: null
  }])
})

t.test('the sample receiver of alerts loads when its # are taken away', async t => {
  const { alerts } = await configOf(uncomment(SHIPPED, /^ {2}# # Unique name of the receiver/), { ALERTS_TOKEN: '48151623' })
  t.strictSame(alerts.receivers, [{
    name: 'on-call', url: 'https://alerts.internal/hooks/48151623', shownUrl: 'https://alerts.internal/hooks/${' + 'ALERTS_TOKEN}', headers: {}, secrets: [], tls: null
  }])
})

t.test('the other samples load when their # are taken away', async t => {
  t.match((await configOf(uncomment(SHIPPED, /^ {2}# sentinel:/))).redis, { sentinel: { name: 'main' } })
  t.match((await configOf(uncomment(SHIPPED, /^ {2}# cluster:/))).redis, { cluster: { nodes: ['redis-1:6379', 'redis-2:6379'] } })
  t.match((await configOf(uncomment(SHIPPED, /^ {2}# tls: true/))).redis, { tls: { enabled: true } })
  await t.rejects(configOf(uncomment(SHIPPED, /^ {2}# tls:$/)), /ingest\.tls\.certFile[^]*ingest\.tls\.keyFile/, 'the files of the TLS sample are not here')
})

t.test('a retry policy that goes on for about 70 hours is what is promised, and it ends after maxAge at the latest', async t => {
  const { subscribers } = await configOf('subscribers: [{ name: a, url: "http://a/" }]')
  const retry = subscribers[0]!.retry
  if (retry.kind !== 'backoff') throw new Error('the default is a growing wait')
  const waits = Array.from({ length: retry.attempts - 1 }, (_, at) => Math.min(retry.initialMs * retry.factor ** at, retry.maxMs))
  const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000
  t.ok(hours > 66 && hours < 74, `${hours} hours`)
})

t.test('demo.yaml needs nothing but this machine', async t => {
  const config = await configOf(readFileSync('config/demo.yaml', 'utf8'), { RELAY_REDIS_URL: 'redis://elsewhere' })
  t.ok(isLoopback(config.ingest.listen.host) && isLoopback(config.admin.listen.host))
  t.match([config.ingest.listen.port, config.admin.listen.port], [8080, 8081])
  t.strictSame(config.ingest.allowFrom, ['127.0.0.1', '::1'])
  t.equal(config.redis.url, null)
  t.match(config.subscribers, [{ name: 'demo', url: 'http://127.0.0.1:9001/hooks/fotor', secrets: [/^whsec_/], retry: { kind: 'list' } }])
})

t.test('the shipped file warns that nobody is subscribed', async t => {
  t.match(warnings(await configOf(SHIPPED)), [/^subscribers is empty/])
})
