/**
 * Promises 2 and 4: a subscriber that is down is not tried for every event
 * that it is owed. Its deliveries are held and lose no attempts, one at a time
 * is tried, and when it is back it gets everything; nobody resumes anything.
 */
import t from '../support/tap.js'
import { accept, logged, seeDeliveries, seeReadiness, seeSubscriber, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

const BREAKER = { failures: 5, share: 0.5, window: '10s', openFor: '500ms', maxOpenFor: '1s' }
const EVENTS = 60
/** Three attempts: without a breaker each would be used up before the subscriber is back. */
const DELIVERY = { breaker: BREAKER, retry: ['100ms', '100ms'] }

t.test('a subscriber that is down has its deliveries held, and gets all of them when it is back', async t => {
  const scene = setScene(t)
  const broken = await scene.subscriber(answers.status(503))
  const well = await scene.subscriber()
  const home = scene.home({ delivery: DELIVERY, subscribers: [{ name: 'broken', url: broken.url, concurrency: 2 }, { name: 'well', url: well.url }] })
  const first = await scene.process(home)
  for (let n = 0; n < EVENTS; n++) await accept(first, { taskId: `t${n}` })
  await well.waitFor(EVENTS)
  t.match(await logged(first, ({ msg }) => msg === 'subscriber.breaker'), { level: 'warn', subscriber: 'broken', state: 'open' })
  // While one is tried the others are not held, for a few milliseconds of every second.
  const held = await until(async () => {
    const found = await seeDeliveries(first, 'subscriber=broken&state=held')
    return found.length > EVENTS / 2 ? found : undefined
  })
  t.strictSame([...new Set(held.map(({ heldBy }) => heldBy))], ['breaker'])
  await until(async () => (await seeReadiness(first)).reasons.some(reason => /^subscriber broken is on hold \(breaker\), \d+ waiting$/.test(reason)) || undefined)

  await first.kill()
  const tried = broken.received.length
  const gateway = await scene.process(home)
  await until(() => broken.received.length >= tried + 3 || undefined)
  const { breaker, counts } = (await seeSubscriber(gateway, 'broken'))!
  t.ok(['open', 'half-open'].includes(breaker), 'the next process goes on where the one before was')
  t.ok(counts.failed <= 5, `${counts.failed} were given up before it opened, and none by a trial`)
  const failed = counts.failed

  broken.behave(answers.ok)
  await logged(gateway, ({ msg, state }) => msg === 'subscriber.breaker' && state === 'closed')
  t.strictSame(await untilNothingIsOpen(gateway), { failed })
  t.match(await seeSubscriber(gateway, 'broken'), { breaker: 'closed', pausedBy: null, counts: { delivered: EVENTS - failed } })
})

t.test('an event that is refused stops nobody', async t => {
  const scene = setScene(t)
  const picky = await scene.subscriber((response, { body }) => { response.writeHead(body.includes('poison') ? 422 : 204).end() })
  const gateway = await scene.process(scene.home({ delivery: DELIVERY, subscribers: [{ name: 'picky', url: picky.url }] }))
  for (let n = 0; n < 20; n++) await accept(gateway, { taskId: `t${n}`, note: n % 2 === 0 ? 'poison' : 'fine' })
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 10 })
  t.match(await seeSubscriber(gateway, 'picky'), { breaker: 'closed', counts: { delivered: 10, failed: 10 } })
  t.notOk(gateway.log.some(({ msg }) => msg === 'subscriber.breaker'))
})

t.test('a reload that switches it off lets go at once', async t => {
  const scene = setScene(t)
  const broken = await scene.subscriber(answers.status(503))
  const settings = (breaker: object): object => ({ delivery: { ...DELIVERY, retry: { attempts: 100, initial: '50ms', factor: 1, max: '50ms' }, breaker }, subscribers: [{ name: 'broken', url: broken.url }] })
  const home = scene.home(settings({ ...BREAKER, openFor: '1h', maxOpenFor: '1h' }) as Record<string, unknown>)
  const gateway = await scene.process(home)
  for (let n = 0; n < 10; n++) await accept(gateway, { taskId: `t${n}` })
  await logged(gateway, ({ msg, state }) => msg === 'subscriber.breaker' && state === 'open')
  broken.behave(answers.ok)
  home.configure(settings({ enabled: false }) as Record<string, unknown>)
  gateway.child.kill('SIGHUP')
  await broken.waitUntil(() => new Set(tasksOf(broken)).size === 10)
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
  t.match(await seeSubscriber(gateway, 'broken'), { breaker: 'closed' })
})
