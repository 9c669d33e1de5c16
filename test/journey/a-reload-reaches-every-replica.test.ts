/**
 * `POST /config/reload` is meant for all replicas: each reads its own file.
 */
import t from '../support/tap.js'
import { logged, onRedis, setScene, type ExternalRedis } from '../support/scene.js'
import { until } from '../support/until.js'

/** A replica that has just started hears of reloads once it has subscribed to them. */
async function bothListen (redis: ExternalRedis): Promise<void> {
  const client = redis.client()
  const channel = await until('a gateway listens', async () => (await client.pubsub('CHANNELS', '*reload*') as string[])[0])
  await until('both gateways listen', async () => (await client.pubsub('NUMSUB', channel))[1] === 2)
}

t.test('a reload through the API reaches the other replica', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const [one, other] = [await scene.inProcess(scene.home(onRedis(redis))), await scene.inProcess(scene.home(onRedis(redis)))]
  await bothListen(redis)

  for (const gateway of [one, other]) gateway.home.configure({ ...onRedis(redis), dedupe: { onLate: 'forward' } })
  const { status, json } = await one.api('POST', '/api/v1/config/reload')
  t.match({ status, json }, { status: 200, json: { changed: ['dedupe.onLate'] } })
  t.match(await logged(other, ({ msg }) => msg === 'config.loaded'), { changed: ['dedupe.onLate'] })
})

t.test('one that is refused reaches nobody', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const [one, other] = [await scene.inProcess(scene.home(onRedis(redis))), await scene.inProcess(scene.home(onRedis(redis)))]
  await bothListen(redis)

  one.home.configure({ ...onRedis(redis), dedupe: { onLate: 'perhaps' } })
  other.home.configure({ ...onRedis(redis), dedupe: { onLate: 'forward' } })
  t.equal((await one.api('POST', '/api/v1/config/reload')).status, 422)
  one.home.configure({ ...onRedis(redis), dedupe: { onConflict: 'hold' } })
  t.equal((await one.api('POST', '/api/v1/config/reload')).status, 200)
  t.match(await logged(other, ({ msg }) => msg === 'config.loaded'), { changed: ['dedupe.onLate'] })
  t.equal(other.log.filter(({ msg }) => msg === 'config.loaded').length, 1, 'it heard of the second only')
})
