/**
 * Several gateways on one Redis are one gateway: limits, pauses and claims
 * hold over all of them, and what one leaves undone another does. Each gateway
 * here is a process of its own.
 */
import t from '../support/tap.js'
import type { GatewayProcess, Settings } from '../support/gateway.js'
import { playFotor } from '../support/fotor.js'
import { untilWell } from '../support/outage.js'
import { accept, onRedis, seeSubscriber, setScene, tasksOf, untilNothingIsOpen, type Scene } from '../support/scene.js'
import { answers, idsOf } from '../support/subscriber.js'
import { until } from '../support/until.js'

/** Two gateways with one configuration, each with a directory of its own. */
async function openTwo (scene: Scene, settings: Settings, args: [string[], string[]] = [[], []]): Promise<[GatewayProcess, GatewayProcess]> {
  return await Promise.all([scene.process(scene.home(settings), args[0]), scene.process(scene.home(settings), args[1])])
}

/** The events that each gateway delivered to a subscriber, from its log. */
function deliveredBy (gateways: readonly GatewayProcess[], name: string): number[] {
  return gateways.map(({ log }) => log.filter(({ msg, subscriber }) => msg === 'delivery.delivered' && subscriber === name).length)
}

t.test('one takes callbacks, the other delivers', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const one = await scene.subscriber()
  const settings = { ...onRedis(redis), subscribers: [{ name: 'one', url: one.url }] }
  const [ingest, deliver] = await openTwo(scene, settings, [['--role', 'ingest'], ['--role', 'deliver']])

  const ids: string[] = []
  for (let n = 0; n < 20; n++) ids.push(await accept(ingest, { taskId: `t${n}` }))
  await one.waitFor(20)
  t.strictSame(idsOf(one.received).sort(), ids.sort(), 'every event, once')
  await until(() => deliveredBy([deliver], 'one')[0] === 20 || undefined)
  t.strictSame(deliveredBy([ingest], 'one'), [0], 'none of them by the one that takes callbacks')
  t.equal(deliver.log.find(({ msg }) => msg === 'gateway is open')?.['ingest'], '', 'who delivers has no public endpoint')
  t.strictSame(await untilNothingIsOpen(ingest), { failed: 0 })

  await deliver.api('POST', '/api/v1/subscribers/one/pause')
  t.match(await seeSubscriber(ingest, 'one'), { pausedBy: 'operator' }, 'either can be asked about the other')
})

t.test('the rate limit and the concurrency of a subscriber hold over all replicas', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const limited = await scene.subscriber()
  const control = await scene.subscriber()
  const pending: Array<() => void> = []
  let most = 0
  const narrow = await scene.subscriber(response => {
    pending.push(() => { response.writeHead(204).end() })
    most = Math.max(most, pending.length)
  })
  const gateways = await openTwo(scene, {
    ...onRedis(redis),
    subscribers: [
      { name: 'limited', url: limited.url, rateLimit: { max: 20, per: '1s' } },
      { name: 'narrow', url: narrow.url, concurrency: 3 },
      { name: 'control', url: control.url }
    ]
  })
  const began = Date.now()
  for (let n = 0; n < 60; n++) await accept(gateways[n % 2]!, { taskId: `t${n}` })

  let total = 60
  for (let round = 1; round <= 20 && most <= 3; round++) {
    await until(() => pending.length >= 3 || undefined)
    // A fourth would come now, while others pass by.
    for (const gateway of gateways) await accept(gateway, { taskId: `control-${total++}` })
    await control.waitFor(total)
    for (const answer of pending.splice(0)) answer()
  }
  narrow.behave(answers.ok)
  for (const answer of pending.splice(0)) answer()
  t.equal(most, 3, 'never more than three at once')

  await limited.waitFor(60)
  const tookMs = limited.received[40]!.at - began
  t.ok(tookMs >= 1_900, `20 a second: the 41st came ${tookMs} ms after the first was accepted`)
  await limited.waitFor(total)
  await narrow.waitUntil(() => new Set(tasksOf(narrow)).size === total)
  const shares = deliveredBy(gateways, 'limited')
  t.ok(shares.every(share => share > 0), `both took part: ${shares.join(' and ')}`)
  t.strictSame(await untilNothingIsOpen(gateways[0]), { failed: 0 })
})

t.test('a pause on one holds on both, survives restarts of both, and either ends it', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const [one, control] = [await scene.subscriber(), await scene.subscriber()]
  const settings = { ...onRedis(redis), subscribers: [{ name: 'one', url: one.url }, { name: 'control', url: control.url }] }
  const before = await openTwo(scene, settings)
  await before[0].api('POST', '/api/v1/subscribers/one/pause')
  for (const gateway of before) t.match(await seeSubscriber(gateway, 'one'), { pausedBy: 'operator', heldBy: 'pause' }, 'both say so')
  for (let n = 0; n < 10; n++) await accept(before[n % 2]!, { taskId: `before-${n}` })
  await control.waitFor(10)

  await Promise.all(before.map(async gateway => { await gateway.stop() }))
  const after = await Promise.all(before.map(async ({ home }) => await scene.process(home))) as [GatewayProcess, GatewayProcess]
  for (let n = 0; n < 10; n++) await accept(after[n % 2]!, { taskId: `after-${n}` })
  await control.waitFor(20)
  t.equal(one.received.length, 0, 'nothing was sent to it')
  for (const gateway of after) t.match(await seeSubscriber(gateway, 'one'), { pausedBy: 'operator', counts: { open: 20 } })

  await after[1].api('POST', '/api/v1/subscribers/one/resume')
  await one.waitFor(20)
  t.equal(new Set(idsOf(one.received)).size, 20, 'all that waited')
  t.match(await seeSubscriber(after[0], 'one'), { pausedBy: null, heldBy: null })
  t.strictSame(await untilNothingIsOpen(after[0]), { failed: 0 })
})

t.test('a reload ordered on one is taken up by both, each from its own file, also after Redis was away', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const one = await scene.subscriber()
  const settings = (...names: string[]): Settings => ({ ...onRedis(redis), subscribers: names.map(name => ({ name, url: one.url })) })
  const gateways = await openTwo(scene, settings('one'))
  const configure = (...names: string[]): void => { for (const { home } of gateways) home.configure(settings(...names)) }
  const says = (gateway: GatewayProcess, change: string): true | undefined =>
    gateway.log.some(({ msg, changed }) => msg === 'config.loaded' && JSON.stringify(changed) === `["${change}"]`) || undefined

  configure('one', 'two')
  t.match(await gateways[0].api('POST', '/api/v1/config/reload'), { status: 200, json: { changed: ['subscribers.two added'] } })
  await until(() => says(gateways[1], 'subscribers.two added'))

  await redis.restart()
  configure('one', 'two', 'three')
  await until(async () => {
    await gateways[1].api('POST', '/api/v1/config/reload') // until it is heard again
    return says(gateways[0], 'subscribers.three added')
  })
  await accept(gateways[0], { taskId: 't' })
  await one.waitFor(3)
  t.strictSame(await untilNothingIsOpen(gateways[1]), { failed: 0 })
})

t.test('of 64 identical callbacks over both at once, one is accepted and delivered', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const one = await scene.subscriber()
  const gateways = await openTwo(scene, { ...onRedis(redis), subscribers: [{ name: 'one', url: one.url }] })
  for (let round = 0; round < 10; round++) {
    const replies = await Promise.all(Array.from({ length: 64 }, async (_, n) => await gateways[n % 2]!.post({ taskId: `t${round}`, status: 1, type: 'x' })))
    const kinds = replies.map(({ status, json }) => `${status} ${String(json['status'])}`)
    // After a pause of the machine one may have gone to the spool: it is found to be a duplicate later.
    const told = kinds.filter(kind => kind !== '200 spooled')
    if (told.length === 64) t.equal(told.filter(kind => kind === '200 accepted').length, 1, `round ${round}: one is accepted`)
    t.ok(told.filter(kind => kind !== '200 duplicate').length <= 1, 'the others are duplicates')
    t.ok(new Set(replies.flatMap(({ json }) => json['eventId'] ?? [])).size <= 1, 'of that one')
  }
  await Promise.all(gateways.map(untilWell))
  await one.waitFor(10)
  await untilNothingIsOpen(gateways[0])
  t.strictSame(tasksOf(one).sort(), Array.from({ length: 10 }, (_, n) => `t${n}`), 'each was delivered once')
})

t.test('killing one under load loses nothing', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscribers = [await scene.subscriber(), await scene.subscriber()]
  const settings = { ...onRedis(redis), subscribers: subscribers.map(({ url }, n) => ({ name: `s${n}`, url, retry: { attempts: 100, initial: '100ms', factor: 1 } })) }
  const [doomed, other] = await openTwo(scene, settings)
  const fotor = playFotor(t, () => [doomed, other], { senders: 8 })
  await fotor.more(100)
  await doomed.kill()
  await fotor.more(100)
  await fotor.stop()

  t.ok(fotor.acknowledged.size >= 200)
  for (const subscriber of subscribers) {
    await subscriber.waitUntil(() => {
      const got = new Set(tasksOf(subscriber))
      return [...fotor.acknowledged].every(taskId => got.has(taskId))
    })
  }
  t.strictSame(await untilNothingIsOpen(other), { failed: 0 }, 'nothing is stuck, nothing failed')
})
