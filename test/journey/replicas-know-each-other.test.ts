/**
 * Gateways that share a Redis show each other: who lives, in which role, and
 * who runs another configuration than the rest. Each is a process of its own.
 */
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from '../support/tap.js'
import type { ReplicaAnswer } from '../../src/admin/answers.js'
import { runCommand, type Ended } from '../support/command.js'
import type { GatewayProcess, Settings } from '../support/gateway.js'
import { logged, onRedis, seeReadiness, setScene } from '../support/scene.js'
import { until } from '../support/until.js'

/** One that says nothing for so long is off the list, milliseconds. */
const BELIEVED_MS = 10_000

async function seeReplicas (gateway: GatewayProcess): Promise<ReplicaAnswer[]> {
  return await until('an operator is told of the replicas', async () => {
    const { json } = await gateway.api<{ replicas?: ReplicaAnswer[] }>('GET', '/api/v1/stats')
    return json.replicas // not while Redis has no time for it
  })
}

function pidsOf (replicas: readonly ReplicaAnswer[]): number[] {
  return replicas.map(({ pid }) => pid).sort((one, other) => one - other)
}

/** Resolves when a gateway lists these and no others. */
async function untilListed (gateway: GatewayProcess, listed: readonly GatewayProcess[]): Promise<ReplicaAnswer[]> {
  const wanted = JSON.stringify(listed.map(({ child }) => child.pid!).sort((one, other) => one - other))
  return await until(async () => {
    const replicas = await seeReplicas(gateway)
    return JSON.stringify(pidsOf(replicas)) === wanted ? replicas : undefined
  })
}

/** What `fotor-relay status` shows of a gateway. */
async function status ({ adminUrl, home }: GatewayProcess): Promise<Ended> {
  return await runCommand(['status', '--url', adminUrl, '--token-file', join(home.dir, 'data', 'admin-token')])
}

t.test('every replica is listed by every other while it lives, and no longer', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const [all, ingest, deliver] = await Promise.all([[], ['--role', 'ingest'], ['--role', 'deliver']]
    .map(async args => await scene.process(scene.home(onRedis(redis)), args))) as [GatewayProcess, GatewayProcess, GatewayProcess]
  for (const gateway of [all, ingest, deliver]) {
    const replicas = await untilListed(gateway, [all, ingest, deliver])
    t.match(replicas.map(({ role, pid }) => ({ role, pid })), [
      { role: 'all', pid: all.child.pid }, { role: 'deliver', pid: deliver.child.pid }, { role: 'ingest', pid: ingest.child.pid }
    ])
    t.equal(new Set(replicas.map(({ configuration }) => configuration)).size, 1, 'they listen elsewhere and have directories of their own, and are configured alike all the same')
    t.strictSame(replicas.filter(({ self }) => self).map(({ pid }) => pid), [gateway.child.pid])
  }

  t.equal(await ingest.end('SIGTERM'), 0)
  t.strictSame(pidsOf(await seeReplicas(all)), pidsOf(await untilListed(all, [all, deliver])), 'one that stops takes itself off the list')

  const client = redis.client()
  const believed = await Promise.all((await client.keys('{relay}:replica:*')).map(async key => await client.pttl(key)))
  t.ok(believed.every(ms => ms > 0 && ms <= BELIEVED_MS), `each is believed to live for ${believed.join(' and ')} ms`)
  await deliver.kill()
  await untilListed(all, [all])
  t.pass('one that was killed is off the list when that is over')
})

t.test('a secret that one replica has not taken up is seen at once, told when it lasts, and over when it has', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const settings = (secret: string): Settings => ({
    ...onRedis(redis), subscribers: [{ name: 'one', url: 'http://127.0.0.1:1/', secrets: [secret] }]
  })
  const [before, after] = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_aHVzaGh1c2hodXNoaHVzaGh1c2hodXNo'] as const
  const gateways = await Promise.all([1, 2, 3].map(async () => await scene.process(scene.home(settings(before)))))
  const [one, other, third] = gateways as [GatewayProcess, GatewayProcess, GatewayProcess]
  await untilListed(one, gateways)

  for (const { home } of [one, other]) home.configure(settings(after))
  for (const { child } of [one, other]) child.kill('SIGHUP')
  await until(async () => {
    const differing = (await seeReplicas(one)).filter(({ differs }) => differs)
    return JSON.stringify(pidsOf(differing)) === `[${third.child.pid}]` || undefined // the one with the old secret
  })
  t.match(await status(one), { code: 0, out: new RegExp(`${hostname()} +${third.child.pid} +all .* [0-9a-f]{12} differs\n`) })

  for (const gateway of gateways) {
    t.match(await logged(gateway, ({ msg }) => msg === 'replicas.differ'), { level: 'warn', of: 3, replicas: [{ host: hostname(), pid: third.child.pid, role: 'all' }] })
    const degraded = await until('/readyz says so too', async () => {
      const now = await seeReadiness(gateway)
      return now.status === 'degraded' && now
    })
    t.match(degraded, { code: 200, status: 'degraded', reasons: [/^replicas run different configurations: 1 of 3 differs/] })
  }
  t.match((await status(third)).out, /ready, but degraded\n +! replicas run different configurations: 1 of 3 differs/)

  third.home.configure(settings(after))
  t.match(await one.api('POST', '/api/v1/config/reload'), { status: 200, json: { changed: [] } })
  for (const gateway of gateways) {
    t.match(await logged(gateway, ({ msg }) => msg === 'replicas.agree'), { level: 'info', of: 3 })
    await until(async () => (await seeReadiness(gateway)).status === 'ok' || undefined)
    t.equal(gateway.log.filter(({ msg }) => msg === 'replicas.differ').length, 1, 'told once')
  }

  const client = redis.client()
  const kept = JSON.stringify(await Promise.all((await client.keys('{relay}:replica:*')).map(async key => await client.hgetall(key))))
  for (const secret of [before, after]) t.notOk(kept.includes(secret.replace('whsec_', '')), 'no secret is in Redis')
})
