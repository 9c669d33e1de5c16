/**
 * Promises 1 and 6: a gateway that has never worked with its Redis has its
 * listener and its spool open before it waits for it, whatever Redis does.
 * What it takes meanwhile is kept, however the start ends; and nothing reaches
 * a Redis that has not been checked.
 */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { freePort } from '../support/free-port.js'
import { launch, type GatewayProcess, type Home, type Launch, type Settings } from '../support/gateway.js'
import { hasAll, sendMany, sendOnce, sendUntilAccepted, statusesOf, untilWell, type Door, type Sent } from '../support/outage.js'
import { REDIS } from '../support/redis.js'
import { logged, onRedis, seeReadiness, setScene, untilNothingIsOpen, type ExternalRedis, type Scene } from '../support/scene.js'
import type { TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

interface Stage {
  scene: Scene
  subscriber: TestSubscriber
  home: Home
  door: Door
  /** Writes the configuration with another Redis. */
  configure: (settings: Settings) => void
  /** Starts the gateway, and does not wait until it is open; it is killed with the test. */
  launch: () => Launch
}

/** A gateway that was never started, whose public port is known. */
async function setStage (t: Test, settings: Settings): Promise<Stage> {
  const scene = setScene(t)
  const subscriber = await scene.subscriber()
  const port = await freePort()
  const complete = (more: Settings): Settings => ({ ...more, ingest: { listen: `127.0.0.1:${port}` }, subscribers: [{ name: 'a', url: subscriber.url }] })
  const home = scene.home(complete(settings))
  return {
    scene,
    subscriber,
    home,
    configure (more) { home.configure(complete(more)) },
    launch () {
      const launched = launch(home)
      t.teardown(async () => {
        launched.child.kill('SIGKILL')
        await launched.gone()
      })
      return launched
    },
    door: {
      async post (body) {
        const response = await fetch(`http://127.0.0.1:${port}/webhooks/fotor`, { method: 'POST', body: JSON.stringify(body) })
        return { status: response.status, json: await response.json() as Record<string, unknown> }
      }
    }
  }
}

/** A Redis of its own for a test, which may stand still at its end. */
async function redisOf (t: Test, scene: Scene): Promise<ExternalRedis> {
  const redis = await scene.redis()
  t.teardown(() => { redis.process.kill('SIGCONT') })
  return redis
}

/** Ten callbacks, sent from the moment on at which somebody takes the first: while the start waits for Redis. */
async function sendAtOnce ({ door }: Stage): Promise<Sent[]> {
  const first = await until('the public endpoint is open', async () => await sendOnce(door, 'first').catch(() => undefined))
  return [first, ...await sendMany(door, 'next', 9)]
}

async function allDelivered (t: Test, { subscriber }: Stage, gateway: GatewayProcess, sent: readonly Sent[]): Promise<void> {
  await subscriber.waitUntil(() => hasAll(subscriber, sent))
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 }, 'all that was answered 200 is delivered')
  await untilWell(gateway)
  await sendUntilAccepted(gateway, 'straight')
}

t.test('a probe finds a start ready when its Redis has been checked: from then on the admin API answers', async t => {
  const stage = await setStage(t, {})
  stage.configure(onRedis(await redisOf(t, stage.scene)))
  const launched = stage.launch()
  const first = await until('it is ready', async () => {
    const address = launched.log.find(({ msg }) => msg === 'admin listener is open')?.['address']
    if (address === undefined) return undefined
    const response = await fetch(`${String(address)}/readyz`)
    return response.status === 200 ? await response.json() as { status: string } : undefined
  })
  const { log } = launched
  const timeOf = (what: string): number => Date.parse(String(log.find(({ msg }) => msg === what)?.['time']))
  await until('it is open', () => log.some(({ msg }) => msg === 'gateway is open'))
  // After two seconds without Redis it is ready all the same, and a standstill may take as long.
  const tookMs = timeOf('gateway is open') - timeOf('public endpoint is open')
  t.ok(first.status === 'ok' || tookMs >= 2_000, `${first.status}, checked after ${tookMs} ms`)
})

t.test('a first start whose Redis stands still takes callbacks, before it gives up waiting and after; they are delivered when Redis goes on', async t => {
  const stage = await setStage(t, {})
  const { scene, home } = stage
  const redis = await redisOf(t, scene)
  stage.configure(onRedis(redis))
  redis.process.kill('SIGSTOP')
  const starting = scene.process(home)
  const before = await sendAtOnce(stage)
  const gateway = await starting
  t.match(await logged(gateway, ({ msg }) => msg === 'Redis is away: callbacks go to the spool until it is back'), { level: 'warn' })
  const after = await sendMany(gateway, 'after', 10)
  t.strictSame(statusesOf([...before, ...after]), ['spooled'])
  t.match(await seeReadiness(gateway), { code: 200, status: 'degraded', reasons: [/stored in the spool/, /^20 callbacks wait/] })
  redis.process.kill('SIGCONT')
  await allDelivered(t, stage, gateway, [...before, ...after])
})

t.test('so does one whose own Redis takes its time to come up', async t => {
  const stage = await setStage(t, {})
  const { scene, home } = stage
  const [slow, mayBegin] = [join(home.dir, 'slow-redis'), join(home.dir, 'may-begin')]
  writeFileSync(slow, `#!/bin/sh\n[ $# -gt 1 ] && while [ ! -e ${mayBegin} ]; do sleep 0.02; done\nexec ${REDIS} "$@"\n`)
  chmodSync(slow, 0o755)
  const starting = scene.process(home, [], { RELAY_REDIS_BIN: slow })
  const before = await sendAtOnce(stage)
  t.strictSame(statusesOf(before), ['spooled'])
  t.notOk(existsSync(mayBegin))
  writeFileSync(mayBegin, '')
  await allDelivered(t, stage, await starting, before)
})

/** Ways in which a first start may have to wait; what is returned is where it waits. */
const STALLS: ReadonlyArray<[says: string, stall: (t: Test, redis: ExternalRedis) => Promise<string>]> = [
  ['stands still', async (_, redis) => {
    redis.process.kill('SIGSTOP')
    return redis.url
  }],
  ['hangs up on everybody', async t => {
    const port = await freePort()
    const rude = createServer(socket => { socket.on('error', () => {}).destroy() }).listen(port, '127.0.0.1')
    t.teardown(() => { rude.close() })
    return `redis://127.0.0.1:${port}`
  }],
  ['is not there', async () => `redis://127.0.0.1:${await freePort()}`]
]
for (const [says, stall] of STALLS) {
  t.test(`SIGTERM while a first start waits for a Redis that ${says} ends it with 0 at once, and what it took is kept`, async t => {
    const stage = await setStage(t, {})
    const { scene, home, launch, configure } = stage
    const redis = await redisOf(t, scene)
    configure({ redis: { url: await stall(t, redis) } })
    const { child, log, gone } = launch()
    const taken = await sendAtOnce(stage)
    t.strictSame(statusesOf(taken), ['spooled'])
    child.kill('SIGTERM')
    t.equal(await gone(), 0)
    t.match(log.find(({ msg }) => msg === 'spool.left'), { callbacks: taken.length })
    t.strictSame(log.filter(({ msg }) => msg === 'did not stop in time'), [], 'no part of it waits for Redis until its time is over')

    redis.process.kill('SIGCONT')
    configure(onRedis(redis))
    const next = await scene.process(home)
    await allDelivered(t, stage, next, taken)
  })
}

t.test('a first start at an address where nobody is ends with 1; what it took is delivered by one at the right address', async t => {
  const stage = await setStage(t, { redis: { url: `redis://127.0.0.1:${await freePort()}` } })
  const { scene, home, launch, configure } = stage
  const redis = await redisOf(t, scene)
  const { gone, err } = launch()
  const taken = await sendAtOnce(stage)
  t.strictSame(statusesOf(taken), ['spooled'])
  t.equal(await gone(), 1)
  t.match(err(), /Redis at redis:\/\/127\.0\.0\.1:\d+ was not ready.*or correct the address/)
  configure(onRedis(redis))
  const next = await scene.process(home)
  await allDelivered(t, stage, next, taken)
})

t.test('a first start whose Redis must not be used ends with 1, and nothing of ours has reached it', async t => {
  const stage = await setStage(t, {})
  const { scene, home, launch, configure } = stage
  const redis = await redisOf(t, scene)
  const operator = redis.client()
  configure(onRedis(redis))
  await operator.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await operator.config('RESETSTAT')
  redis.process.kill('SIGSTOP')
  const { gone, err } = launch()
  const taken = await sendAtOnce(stage)
  t.strictSame(statusesOf(taken), ['spooled'])
  redis.process.kill('SIGCONT')
  t.equal(await gone(), 1)
  t.match(err(), /maxmemory-policy/)
  t.equal(await operator.dbsize(), 0)
  const asked = [...(await operator.info('commandstats')).matchAll(/^cmdstat_([^:]+):/gm)].map(([, command]) => command)
  t.strictSame(asked.filter(command => !/^(info|client\|.*|hello|dbsize|config\|.*)$/.test(command!)), [], 'it was asked what it is, and nothing else')
  await operator.config('SET', 'maxmemory-policy', 'noeviction')
  const next = await scene.process(home)
  await allDelivered(t, stage, next, taken)
})
