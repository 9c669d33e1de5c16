/** What an operator orders is carried out to the end, once, also when the gateway is killed half-way. */
import t from '../support/tap.js'
import type { TestGateway } from '../support/gateway.js'
import type { OrderAnswer } from '../../src/admin/answers.js'
import { accept, seeSubscriber, setScene, untilReplayed } from '../support/scene.js'
import { until } from '../support/until.js'
import { answers, idsOf } from '../support/subscriber.js'

/** Gives up after the first attempt. */
const ONE_ATTEMPT: string[] = []
const MANY = 5_000
/** Deliveries to one subscriber in flight at a time; what a crash may repeat. */
const IN_FLIGHT = 16

/** Posts so many new callbacks, several at a time. */
async function acceptMany (gateway: TestGateway, count: number): Promise<string[]> {
  const ids: string[] = []
  let n = 0
  await Promise.all(Array.from({ length: 32 }, async () => {
    while (n < count) ids.push(await accept(gateway, { taskId: `t${n++}` }))
  }))
  return ids
}

t.test('a replay of 5,000 deliveries survives kill -9 of the gateway half-way', async t => {
  const scene = setScene(t)
  const [one, other] = [await scene.subscriber(answers.status(500)), await scene.subscriber()]
  const home = scene.home({
    log: { level: 'info' },
    subscribers: [{ name: 'one', url: one.url, retry: ONE_ATTEMPT, concurrency: IN_FLIGHT }, { name: 'other', url: other.url }]
  })
  const first = await scene.process(home)
  const ids = await acceptMany(first, MANY)
  await until(async () => (await seeSubscriber(first, 'one'))?.counts.failed === MANY || undefined)
  await other.waitFor(MANY)
  one.behave(answers.ok)

  const { json: { id } } = await first.api<{ id: string }>('POST', '/api/v1/replays', { subscriber: 'one', ratePerSecond: 1_000 })
  const halfWay = await until(async () => {
    const { json } = await first.api<OrderAnswer>('GET', `/api/v1/replays/${id}`)
    return json.queued >= MANY / 4 && json.delivered >= MANY / 10 ? json : undefined
  })
  await first.kill()
  t.match(halfWay, { state: 'running', matched: MANY }, `killed when ${halfWay.queued} had been put back and ${halfWay.delivered} delivered`)
  const before = one.received.length - MANY

  const second = await scene.process(home)
  t.match(await untilReplayed(second, id), { state: 'done', matched: MANY, queued: MANY, delivered: MANY, failed: 0 })
  const replays = one.received.slice(MANY)
  const got = idsOf(replays)
  t.ok(before < MANY, `the first gateway delivered ${before}, the second ${got.length - before}`)
  t.strictSame([...new Set(got)].sort(), ids.sort(), 'every event has arrived, under its own id')
  t.ok(got.length <= MANY + IN_FLIGHT, `only what was in flight came twice: ${got.length - MANY}`)
  t.equal(new Set(replays.map(({ headers }) => headers['relay-replay'])).size, 1, 'all of one replay')
  t.equal(other.received.length, MANY, 'and nobody else got anything')
})

t.test('a discard of thousands survives kill -9 of the gateway half-way, and gives up exactly what was meant', async t => {
  const scene = setScene(t)
  const one = await scene.subscriber()
  const home = scene.home({ log: { level: 'info' }, subscribers: [{ name: 'one', url: one.url }] })
  const first = await scene.process(home)
  await first.api('POST', '/api/v1/subscribers/one/pause')
  await acceptMany(first, MANY)
  const { json: { id } } = await first.api<{ id: string }>('POST', '/api/v1/deliveries/discard', { type: 'x' })
  const later = await accept(first, { taskId: 'later' })
  const halfWay = await until('it is half-way', async () => {
    const { json } = await first.api<OrderAnswer>('GET', `/api/v1/replays/${id}`)
    return json.discarded > 0 ? json : undefined
  })
  await first.kill()
  t.match(halfWay, { kind: 'discard', state: 'running', matched: MANY }, `killed when ${halfWay.discarded} had been given up`)

  const second = await scene.process(home)
  const done = await until('it is done', async () => {
    const { json } = await second.api<OrderAnswer>('GET', `/api/v1/replays/${id}`)
    return json.state === 'done' ? json : undefined
  })
  t.match(done, { matched: MANY, discarded: MANY }, 'each once, and none left out')
  await second.api('POST', '/api/v1/subscribers/one/resume')
  await one.waitFor(1)
  await until('nothing is owed', async () => (await seeSubscriber(second, 'one'))?.counts.open === 0)
  t.strictSame(idsOf(one.received), [later], 'only what came after the order is delivered')
})
