/**
 * Two gateways take callbacks and two deliver, all on one Redis: a
 * subscriber's limits hold over those that deliver, whoever took the callback,
 * and also when another one joins, and when one leaves.
 */
import t from '../support/tap.js'
import type { GatewayProcess } from '../support/gateway.js'
import { accept, onRedis, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import { answers, type Behaviour } from '../support/subscriber.js'
import { until } from '../support/until.js'

const CONCURRENCY = 3
const PER_SECOND = 20
const EVENTS = 40

t.test('concurrency and rateLimit hold over two that take callbacks and two, then three, then two, that deliver', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const [limited, control] = [await scene.subscriber(), await scene.subscriber()]
  const pending: Array<() => void> = []
  let most = 0
  const keepsWaiting: Behaviour = response => {
    pending.push(() => { response.writeHead(204).end() })
    most = Math.max(most, pending.length)
  }
  const narrow = await scene.subscriber(keepsWaiting)
  const settings = {
    ...onRedis(redis),
    subscribers: [
      { name: 'limited', url: limited.url, rateLimit: { max: PER_SECOND, per: '1s' } },
      { name: 'narrow', url: narrow.url, concurrency: CONCURRENCY },
      { name: 'control', url: control.url }
    ]
  }
  const open = async (role: string): Promise<GatewayProcess> => await scene.process(scene.home(settings), ['--role', role])
  const [ingest, deliver] = await Promise.all([Promise.all([open('ingest'), open('ingest')]), Promise.all([open('deliver'), open('deliver')])])
  const delivering: GatewayProcess[] = [...deliver]
  const sharesOf = (name: string): number[] => delivering.map(({ log }) => log.filter(({ msg, subscriber }) => msg === 'delivery.delivered' && subscriber === name).length)

  const began = Date.now()
  let total = 0
  const give = async (count: number): Promise<void> => { for (let n = 0; n < count; n++) await accept(ingest[n % 2]!, { taskId: `t${total++}` }) }
  await give(EVENTS)
  for (let round = 1; round <= 20 && most <= CONCURRENCY; round++) {
    if (round === 10) delivering.push(await open('deliver'))
    await give(CONCURRENCY)
    await until(() => pending.length >= CONCURRENCY || undefined)
    // One too many would come now, while others pass by.
    await give(2)
    await control.waitFor(total)
    // Whoever ends an attempt takes the next one, and may leave the others none: the busiest goes.
    const shares = sharesOf('narrow')
    const leaves = round === 15 ? delivering[shares.indexOf(Math.max(...shares))]!.end('SIGTERM') : null
    if (leaves !== null) narrow.behave(answers.ok)
    for (const answer of pending.splice(0)) answer()
    if (leaves !== null) t.equal(await leaves, 0)
    narrow.behave(keepsWaiting)
  }
  narrow.behave(answers.ok)
  for (const answer of pending.splice(0)) answer()
  t.equal(most, CONCURRENCY, `never more than ${CONCURRENCY} at once`)

  await limited.waitFor(total)
  const tookMs = limited.received.at(-1)!.at - began
  const windows = Math.ceil(total / PER_SECOND) - 1
  t.ok(tookMs >= (windows - 0.1) * 1_000, `${PER_SECOND} a second: ${total} took ${tookMs} ms`)
  await narrow.waitUntil(() => new Set(tasksOf(narrow)).size === total)
  await untilNothingIsOpen(ingest[0])
  for (const name of ['limited', 'narrow']) {
    const shares = sharesOf(name)
    t.ok(shares.filter(share => share > 0).length >= 2, `several took part for ${name}: ${shares.join(', ')}`)
    t.equal(shares.reduce((sum, share) => sum + share, 0), total, 'and nobody else')
  }
  t.ok(delivering[2]?.log.some(({ msg }) => msg === 'delivery.delivered'), 'the third took part')
  t.strictSame(await untilNothingIsOpen(ingest[1]), { failed: 0 })
})
