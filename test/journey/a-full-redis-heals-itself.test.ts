/**
 * Memory runs out first: what is finished goes early and what is owed never
 * does; when Redis is full all the same and there is no spool, callbacks get a
 * 503, and 200 again as soon as deliveries have made room. Nobody restarts anything.
 */
import t from '../support/tap.js'
import { playFotor } from '../support/fotor.js'
import type { TestGateway } from '../support/gateway.js'
import { accept, logged, onRedis, sendDuplicate, seeDeliveries, seeReadiness, setScene, tasksOf, untilNothingIsOpen, type Scene } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

/** The least that may be configured. */
const LIMIT_MB = 64
/** Of each callback. */
const BODY_BYTES = 900 * 1024
const FIELDS = { url: 'x'.repeat(BODY_BYTES) }
/** How many such bodies Redis has no room for. */
const TOO_MANY = LIMIT_MB * 1024 * 1024 / BODY_BYTES

const RETRY = { attempts: 1_000, initial: '2s', factor: 1, max: '2s', jitter: 0 }

interface Stats {
  counters: { deletedEarly: number, failedDeletedEarly: number }
  events: number
  memory: { usedBytes: number, maxBytes: number } | null
}

async function seeStats (gateway: TestGateway): Promise<Stats> {
  return (await gateway.api<Stats>('GET', '/api/v1/stats')).json
}

let posts = 0

/** The Retry-After of a refused callback, seconds; nothing of one that found room just then, whose task is noted. */
async function retryAfterOf ({ ingestUrl }: TestGateway, acknowledged: Set<string>): Promise<number | undefined> {
  const taskId = `late-${++posts}`
  const answer = await fetch(ingestUrl, { method: 'POST', body: JSON.stringify({ taskId, status: 1, type: 'x', ...FIELDS }) })
  await answer.arrayBuffer()
  if (answer.status === 503) return Number(answer.headers.get('retry-after'))
  if (answer.status === 200) acknowledged.add(taskId)
  return undefined
}

const SERVERS: ReadonlyArray<[whose: string, settings: (scene: Scene) => Promise<object>]> = [
  ['its own Redis', async () => ({ redis: { maxMemory: `${LIMIT_MB}mb` } })],
  ['an external Redis', async scene => {
    const redis = await scene.redis()
    await redis.client().config('SET', 'maxmemory', `${LIMIT_MB}mb`)
    return onRedis(redis)
  }]
]
for (const [whose, settings] of SERVERS) {
  t.test(`${whose}, full of what is owed, and no spool: callbacks get 503 until deliveries make room, and nothing is lost`, async t => {
    const scene = setScene(t)
    const subscriber = await scene.subscriber(answers.status(500))
    const paused = await scene.subscriber()
    const gateway = await scene.process(scene.home({
      ...await settings(scene),
      spool: { enabled: false },
      subscribers: [
        { name: 'one', url: subscriber.url, retry: RETRY },
        { name: 'paused', url: paused.url, match: { types: ['kept'] } }
      ]
    }))
    await gateway.api('POST', '/api/v1/subscribers/paused/pause')
    const kept: string[] = []
    for (const taskId of ['kept-1', 'kept-2', 'kept-3']) kept.push(await accept(gateway, { taskId, type: 'kept', ...FIELDS }))

    const fotor = playFotor(t, () => [gateway], { fields: FIELDS })
    const refusals = (): number => fotor.answers.get(503) ?? 0
    await until(() => refusals() > 20 || undefined)
    t.match(await logged(gateway, ({ msg }) => msg === 'redis.memory'), { state: 'short', level: 'error', maxBytes: LIMIT_MB * 1024 * 1024 })
    const late = new Set<string>()
    t.ok(await until(async () => await retryAfterOf(gateway, late)) > 0, 'the sender is told when to come again')
    const refusing = await until('/readyz says that Redis is full', async () => {
      const now = await seeReadiness(gateway)
      return now.reasons.some(reason => reason.includes('(OOM)')) ? now : undefined
    })
    t.equal(refusing.code, 503)
    const acknowledged = fotor.acknowledged.size + late.size + kept.length
    const full = await seeStats(gateway)
    t.ok(full.events >= acknowledged, 'everything acknowledged is there')
    t.equal(full.counters.deletedEarly, 0, 'nothing that is owed went')

    subscriber.behave(answers.ok)
    await fotor.more(TOO_MANY / 2)
    await fotor.stop()
    t.comment(`${fotor.acknowledged.size} acknowledged, ${refusals()} answered 503`)
    t.strictSame([...fotor.answers.keys()].sort(), [200, 503])

    await until(async () => (await seeDeliveries(gateway, 'subscriber=one&state=queued,retrying')).length === 0 || undefined)
    const got = new Set(tasksOf(subscriber))
    t.strictSame([...fotor.acknowledged, ...late].filter(taskId => !got.has(taskId)), [], 'everything acknowledged has arrived')
    const { counters } = await seeStats(gateway)
    t.ok(counters.deletedEarly > 0 && counters.failedDeletedEarly === 0, `${counters.deletedEarly} went early`)
    t.match(await logged(gateway, ({ msg }) => msg === 'record.deleted-early'), { level: 'warn', events: Number, failed: 0 })
    t.match(await until(async () => {
      const now = await seeReadiness(gateway)
      return now.reasons.some(reason => reason.includes('memory')) ? undefined : now
    }), { code: 200, reasons: [/^subscriber paused is on hold/] })

    t.match(await sendDuplicate(gateway, { taskId: 'task-0', status: 1, type: 'x', ...FIELDS }), { status: 200, json: { status: 'duplicate' } },
      'a duplicate of what went early is still a duplicate')
    await gateway.api('POST', '/api/v1/subscribers/paused/resume')
    await paused.waitFor(kept.length)
    t.strictSame(paused.received.map(({ headers }) => headers['webhook-id']).sort(), kept.sort(), 'what was held is delivered')
    t.ok(paused.received.every(({ body }) => body.length > BODY_BYTES), 'with its body')
    t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
  })
}

t.test('twice as much as Redis holds passes through it while subscribers keep up', async t => {
  const scene = setScene(t)
  const subscriber = await scene.subscriber()
  const gateway = await scene.inProcess(scene.home({
    redis: { maxMemory: `${LIMIT_MB}mb` }, subscribers: [{ name: 'one', url: subscriber.url, retry: RETRY }]
  }))
  const fotor = playFotor(t, () => [gateway], { fields: FIELDS })
  await fotor.more(2 * TOO_MANY)
  await fotor.stop()
  t.comment(`answers ${JSON.stringify([...fotor.answers])}`)
  await subscriber.waitUntil(() => new Set(tasksOf(subscriber)).size >= fotor.acknowledged.size)
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
  const { counters, events } = await seeStats(gateway)
  t.equal(counters.deletedEarly + events, fotor.acknowledged.size, 'each is in the record, or counted as gone early')
  t.ok(counters.deletedEarly > TOO_MANY / 2)
})
