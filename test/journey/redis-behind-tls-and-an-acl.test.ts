/**
 * "A Redis that trusts nobody" of docs/operations.md: the rules that stand
 * there are enough for a whole gateway over TLS, and allow no more.
 */
import { readFileSync } from 'node:fs'
import t from '../support/tap.js'
import { Redis } from 'ioredis'
import { makeCertificate } from '../redis/fixtures/certificate.js'
import { runCommand } from '../support/command.js'
import { freePort } from '../support/free-port.js'
import { answerToRepeat, areTaken, sendMany, untilWell } from '../support/outage.js'
import { startRedis } from '../support/redis.js'
import { logged, seeReadinessWithRedis, setScene, untilNothingIsOpen, untilReplayed } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

const DOCS = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
/** From `user relay` on, as it stands in an ACL file. */
const RULES = /^ACL SETUSER relay (.+)$/m.exec(DOCS)![1]!.replaceAll('"', '').split(' ')
const PASSWORD = 'a-long-password'

const certificate = makeCertificate()

t.test('a gateway does all its work through TLS as a user who may do nothing else', { skip: certificate === null }, async t => {
  const scene = setScene(t)
  const port = await freePort()
  const redis = await startRedis([
    '--tls-port', String(port), '--tls-cert-file', certificate!.certFile, '--tls-key-file', certificate!.keyFile,
    '--tls-ca-cert-file', certificate!.certFile, '--tls-auth-clients', 'no', '--maxmemory', '256mb'
  ])
  t.teardown(async () => {
    await redis.close()
    certificate!.remove()
  })
  const operator = redis.client()
  await operator.call('ACL', 'SETUSER', 'relay', ...RULES.map(rule => rule.replace('PASSWORD', PASSWORD)))
  await operator.call('ACL', 'SETUSER', 'default', 'off')

  const [good, down] = [await scene.subscriber(), await scene.subscriber(answers.status(503, { 'retry-after': '0' }))]
  const home = scene.home({
    redis: { url: `rediss://localhost:${port}`, username: 'relay', password: PASSWORD, tls: { caFile: certificate!.certFile } },
    ingest: { rateLimit: { store: 'redis' } },
    dedupe: { onConflict: 'hold' },
    subscribers: [
      { name: 'good', url: good.url, rateLimit: { max: 1_000, per: '1s' } },
      { name: 'down', url: down.url, retry: ['1ms'] }
    ]
  })
  const gateway = await scene.process(home)
  t.ok(areTaken(await sendMany(gateway, 'task', 30)))
  await untilWell(gateway)
  await until(async () => (await untilNothingIsOpen(gateway)).failed === 30 || undefined)
  t.equal(await answerToRepeat(gateway, 'task-3'), 'duplicate')
  down.behave(answers.ok)
  const { json } = await gateway.api<{ id: string }>('POST', '/api/v1/replays', { subscriber: 'down' })
  await untilReplayed(gateway, json.id)
  for (const path of ['/pause', '/resume']) t.equal((await gateway.api('POST', `/api/v1/subscribers/good${path}`)).status, 200)
  await gateway.api('POST', '/api/v1/config/reload')
  await logged(gateway, ({ msg }) => msg === 'config.loaded' || msg === 'config.unchanged')
  t.match(await runCommand(['export', '-', '--config', home.configFile]), { code: 0, err: /^30 events/ })
  t.match(await seeReadinessWithRedis(gateway), { code: 200, status: 'ok' })
  await until(async () => (await gateway.api<{ counters: { delivered: number } }>('GET', '/api/v1/stats')).json.counters.delivered === 60 || undefined)
  t.strictSame(gateway.log.filter(line => /NOPERM|can't run this command/.test(JSON.stringify(line))), [], 'it wanted nothing that it may not')

  const user = new Redis({ port, host: 'localhost', username: 'relay', password: PASSWORD, tls: { ca: certificate!.cert } })
  t.teardown(() => { user.disconnect() })
  for (const command of [['flushall'], ['keys', '*'], ['config', 'get', '*'], ['get', 'other'], ['set', '{other}:x', '1'], ['acl', 'list'], ['shutdown'], ['replicaof', 'no', 'one'], ['publish', 'other', 'x']]) {
    await t.rejects(user.call(command[0]!, ...command.slice(1)), { message: /NOPERM/ }, command.join(' '))
  }
})
