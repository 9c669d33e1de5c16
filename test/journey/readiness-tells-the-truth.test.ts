/**
 * `/readyz` is 200 while a callback would get a 200, and 503 while it would
 * not: also when Redis still answers reads but takes no writes.
 */
import t from '../support/tap.js'
import { accept, logged, onRedis, seeReadiness, seeReadinessWithRedis, setScene } from '../support/scene.js'
import { until } from '../support/until.js'

t.test('a full Redis and no spool: callbacks get 503, /readyz says so, and both heal', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscriber = await scene.subscriber()
  const gateway = await scene.inProcess(scene.home({ ...onRedis(redis), spool: { enabled: false }, subscribers: [{ name: 'one', url: subscriber.url }] }))
  const operator = redis.client()
  t.match(await seeReadinessWithRedis(gateway), { code: 200, status: 'ok' })
  const known = { taskId: 'known', status: 1, type: 'x' }
  t.equal((await gateway.api('POST', '/api/v1/subscribers/one/pause')).status, 200)
  const eventId = await accept(gateway, known)

  await operator.config('SET', 'maxmemory', '1')
  t.equal((await gateway.post({ taskId: 't', status: 1, type: 'x' })).status, 503)
  const full = await until(async () => {
    const now = await seeReadiness(gateway)
    return now.code === 503 ? now : undefined
  })
  t.match(full.reasons, [/writes/])

  const again = await until('a duplicate is answered', async () => {
    const answer = await gateway.post(known)
    return answer.status === 200 && answer.json
  })
  t.match(again, { status: 'duplicate', eventId }, 'what is safe already is acknowledged all the same')
  t.match(await gateway.api('POST', `/api/v1/events/${eventId}/discard`), { status: 200, json: { discarded: 1 } }, 'an operator can make room')
  t.equal((await gateway.api('POST', '/api/v1/subscribers/one/resume')).status, 200, 'and let go')

  const marker = 'MARKER-OF-A-BODY'
  t.equal((await gateway.post(`{"taskId":"${marker}"`)).status, 400, 'a refused callback cannot be kept either')
  await logged(gateway, ({ msg }) => msg === 'a refused callback could not be stored in the quarantine')
  t.notMatch(JSON.stringify(gateway.log), new RegExp(marker), 'and its body does not end in the log instead')
  t.notMatch(JSON.stringify(gateway.log), new RegExp(Buffer.from(marker).toJSON().data.join(',')))

  await operator.config('SET', 'maxmemory', '0')
  await until('callbacks are taken again', async () => (await gateway.post({ taskId: 't', status: 1, type: 'x' })).status === 200)
  await until(async () => (await seeReadiness(gateway)).code === 200 || undefined)
})

t.test('a full Redis and a spool: callbacks get 200, and /readyz says what to look at', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscriber = await scene.subscriber()
  const gateway = await scene.inProcess(scene.home({ ...onRedis(redis), subscribers: [{ name: 'one', url: subscriber.url }] }))
  const known = { taskId: 'known', status: 1, type: 'x' }
  await accept(gateway, known)
  const [, used] = /^used_memory:(\d+)/m.exec(await redis.client().info('memory'))!
  await redis.client().config('SET', 'maxmemory', String(Math.floor(Number(used) * 0.9))) // less, and a claim would be worth giving up
  t.match(await gateway.post({ taskId: 't', status: 1, type: 'x' }), { status: 200, json: { status: 'spooled' } })
  t.match(await gateway.post(known), { status: 200, json: { status: 'spooled' } }, 'a duplicate as well: it is found to be one later')
  const full = await until(async () => {
    const now = await seeReadiness(gateway)
    return now.status === 'degraded' ? now : undefined
  })
  t.match(full, { code: 200, reasons: [/^Redis accepts no writes \(OOM\): callbacks are stored in the spool$/, /^2 callbacks wait in the spool/] })
  await redis.client().config('SET', 'maxmemory', '0')
  await until(async () => (await seeReadiness(gateway)).status === 'ok' || undefined)
  await subscriber.waitFor(2)
  t.equal(subscriber.received.length, 2, 'the duplicate was one')
})

for (const [says, isLost, lost] of [
  ['the queue', 'name=fotor-relay-blocking', /\(that of all subscribers/],
  ['a worker', 'cmd=bzpopmin', /\(one\)/]
] as const) {
  t.test(`a Redis that lets callbacks in, and the connections of ${says} no more: whoever delivers says so`, async t => {
    const scene = setScene(t)
    const redis = await scene.redis()
    const subscriber = await scene.subscriber()
    const settings = { ...onRedis(redis), subscribers: [{ name: 'one', url: subscriber.url }] }
    const [ingest, deliver] = [await scene.process(scene.home(settings), ['--role', 'ingest']), await scene.process(scene.home(settings), ['--role', 'deliver'])]
    await accept(ingest, { taskId: 'before' })
    await subscriber.waitFor(1)
    const operator = redis.client()
    const clients = async (): Promise<string[]> => (await operator.client('LIST') as string).trim().split('\n')
    const all = await until('the worker waits for a job', async () => {
      const found = await clients()
      return found.some(line => line.includes('cmd=bzpopmin')) ? found : undefined
    })
    const toLose = all.filter(line => line.includes(isLost))
    await operator.config('SET', 'maxclients', all.length - toLose.length)
    for (const line of toLose) await operator.client('KILL', 'ID', Number(/^id=(\d+)/.exec(line)![1]))
    const eventId = await accept(ingest, { taskId: 'during' })
    const [cutOff, other] = await until(async () => {
      const both = await Promise.all([seeReadiness(deliver), seeReadiness(ingest)])
      return both[0].status === 'degraded' ? both : undefined
    })
    t.match(cutOff, { code: 200, reasons: [/^Redis takes callbacks, but connections of the queue are lost/] })
    t.match(cutOff.reasons[0], lost)
    t.match(other, { code: 200, status: 'ok' }, 'one that only takes callbacks is well')

    await operator.config('SET', 'maxclients', 1_000)
    await subscriber.waitUntil(received => received.some(({ headers }) => headers['webhook-id'] === eventId))
    await until(async () => (await seeReadiness(deliver)).status === 'ok' || undefined)
  })
}
