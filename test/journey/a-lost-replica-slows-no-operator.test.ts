/**
 * `redis.waitReplicas` makes callbacks wait for replicas, and nobody else: what
 * operators read, and what is delivered, goes over connections that wait for
 * none. A command that comes after a WAIT on one connection comes after its
 * end, up to half a second later, if the replica is gone.
 */
import t from '../support/tap.js'
import { sending } from '../support/outage.js'
import { onRedis, seeReadiness, setScene } from '../support/scene.js'
import { until } from '../support/until.js'

t.test('while no replica confirms anything, only what is acknowledged waits for one; operators read on a connection that does not', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscriber = await scene.subscriber()
  const gateway = await scene.process(scene.home({
    redis: { ...onRedis(redis)['redis'] as object, waitReplicas: 1 }, subscribers: [{ name: 'a', url: subscriber.url }]
  }))
  const operator = redis.client()
  const waiting = new Map<string, number>()
  const see = async (): Promise<void> => {
    for (const line of (await operator.client('LIST') as string).split('\n')) {
      const name = /\bname=(\S*)/.exec(line)?.[1]
      if (name !== undefined && /\bcmd=wait\b/.test(line)) waiting.set(name, (waiting.get(name) ?? 0) + 1)
    }
  }

  const senders = sending(gateway, ['lost'])
  for (const path of ['/stats', '/events?limit=5', '/subscribers', '/deliveries', '/replays', '/alerts']) {
    const [{ status }] = await Promise.all([gateway.api('GET', `/api/v1${path}`), see()])
    t.equal(status, 200, path)
  }
  await until('callbacks have waited for a replica, again and again', async () => {
    await see()
    return (waiting.get('fotor-relay-accepting') ?? 0) >= 20
  })
  await seeReadiness(gateway)
  const sent = await senders.stop()
  t.ok(sent.every(({ status }) => status === 'spooled'), 'none of them is acknowledged but by the spool')
  t.strictSame([...waiting.keys()], ['fotor-relay-accepting'])
})

t.test('where nobody asks for replicas there is no connection more', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  await scene.process(scene.home(onRedis(redis)))
  const names = (await redis.client().client('LIST') as string).split('\n').flatMap(line => /\bname=(fotor-relay\S*)/.exec(line)?.[1] ?? [])
  t.strictSame(names.toSorted(), ['fotor-relay-blocking', 'fotor-relay-fail-fast', 'fotor-relay-pub-sub'], 'and none is left of those that only checked it')
})
