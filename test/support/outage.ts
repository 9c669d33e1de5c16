/**
 * The ways in which an external Redis is away, and how it comes back; and a
 * sender that sends each callback once and notes what it was told.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from './tap.js'
import type { GatewayProcess, Settings, TestGateway } from './gateway.js'
import { onRedis, sendDuplicate, seeReadiness, setScene, tasksOf, untilNothingIsOpen, type ExternalRedis, type Scene, type TestContext } from './scene.js'
import type { TestSubscriber } from './subscriber.js'
import { until } from './until.js'

export interface Outage {
  /** Ends the sentence "Redis …". */
  says: string
  begin (redis: ExternalRedis): Promise<unknown>
  end (redis: ExternalRedis): Promise<unknown>
  /** Why callbacks are spooled then, as the log says it; left out, as Redis says it. */
  reason?: RegExp
}

/** By name. */
export const OUTAGES = {
  killed: {
    says: 'is killed',
    begin: async redis => { await redis.kill() },
    end: async redis => { await redis.restart() }
  },
  shutDown: {
    says: 'is shut down',
    async begin (redis) {
      const gone = new Promise<void>(resolve => { redis.process.once('exit', () => { resolve() }) })
      const client = redis.client({ maxRetriesPerRequest: 0 })
      await client.shutdown().catch(() => {}) // it answers by closing the connection
      client.disconnect()
      await gone
    },
    end: async redis => { await redis.restart() }
  },
  frozen: {
    says: 'is frozen',
    begin: async redis => redis.process.kill('SIGSTOP'),
    end: async redis => redis.process.kill('SIGCONT'),
    reason: /^no answer within 1000 ms$/
  },
  readOnly: {
    says: 'is read-only',
    begin: async redis => await redis.client().call('REPLICAOF', '127.0.0.1', '1'),
    end: async redis => await redis.client().call('REPLICAOF', 'NO', 'ONE')
  },
  full: {
    says: 'is out of memory',
    begin: async redis => await redis.client().config('SET', 'maxmemory', '1'),
    end: async redis => await redis.client().config('SET', 'maxmemory', '0')
  }
} satisfies Record<string, Outage>

/** One callback, sent once. */
export interface Sent {
  taskId: string
  /** Epoch milliseconds. */
  sentAt: number
  answeredAt: number
  /** `accepted`, `duplicate` or `spooled`, or the status of an answer that is not 200. */
  status: unknown
}

/** Where callbacks are posted to; the gateway behind it need not run yet. */
export type Door = Pick<TestGateway, 'post'>

/** Stands in every body, and may stand nowhere else. */
export const IN_THE_BODY = 'MARKER-OF-A-BODY'

/** Sends a callback of a task. */
export async function sendOnce (gateway: Door, taskId: string): Promise<Sent> {
  const sentAt = Date.now()
  const { status, json } = await gateway.post(callbackOf(taskId))
  return { taskId, sentAt, answeredAt: Date.now(), status: status === 200 ? json['status'] : status }
}

/** What {@link sendOnce} is answered when Redis knows the callback already. */
export async function answerToRepeat (gateway: TestGateway, taskId: string): Promise<unknown> {
  return (await sendDuplicate(gateway, callbackOf(taskId))).json['status']
}

function callbackOf (taskId: string): object {
  return { taskId, status: 1, type: 'x', imageUrl: IN_THE_BODY }
}

/** Sends callbacks of `<prefix>-0`, `<prefix>-1`, … at the same time. */
export async function sendMany (gateway: Door, prefix: string, count: number): Promise<Sent[]> {
  return await Promise.all(Array.from({ length: count }, async (_, n) => await sendOnce(gateway, `${prefix}-${n}`)))
}

/** Between two callbacks of one who sends for a while, milliseconds. */
const PACE_MS = 20

/** Sends callbacks of `<prefix>-0`, `<prefix>-1`, … one by one, for so long. */
export async function sendFor (gateway: TestGateway, prefix: string, ms: number): Promise<Sent[]> {
  const sender = sending(gateway, [prefix])
  await wait(ms)
  return await sender.stop()
}

export interface Sending {
  /** Grows. */
  sent: Sent[]
  /** Resolves with all when the last is answered. */
  stop (): Promise<Sent[]>
}

/** As {@link sendFor}, for each prefix at the same time, until told to stop: however long that takes, little waits. */
export function sending (gateway: TestGateway, prefixes: readonly string[]): Sending {
  const sent: Sent[] = []
  let goesOn = true
  const done = Promise.all(prefixes.map(async prefix => {
    for (let n = 0; goesOn; n++) {
      sent.push(await sendOnce(gateway, `${prefix}-${n}`))
      await wait(PACE_MS)
    }
  }))
  done.catch(() => {}) // of a gateway that has ended meanwhile: who stops it is told
  return { sent, async stop () { goesOn = false; await done; return sent } }
}

/** Whether a subscriber has an event of each task. */
export function hasAll (subscriber: TestSubscriber, sent: ReadonlyArray<Pick<Sent, 'taskId'>>): boolean {
  const got = new Set(tasksOf(subscriber))
  return got.size >= sent.length && sent.every(({ taskId }) => got.has(taskId))
}

/** What senders were told, each answer once. */
export function statusesOf (sent: readonly Sent[]): unknown[] {
  return [...new Set(sent.map(({ status }) => status))]
}

/** The answers to callbacks that nothing hindered: after a pause of the machine one may have gone to the spool. */
export function areTaken (sent: readonly Sent[]): boolean {
  return sent.every(({ status }) => status === 'accepted' || status === 'spooled')
}

/** Sends callbacks of `<prefix>-0`, `<prefix>-1`, … until one goes straight to Redis; all that were sent. */
export async function sendUntilAccepted (gateway: TestGateway, prefix: string): Promise<Sent[]> {
  const sent: Sent[] = []
  await until(`a callback of ${prefix} is accepted at once`, async () => {
    sent.push(await sendOnce(gateway, `${prefix}-${sent.length}`))
    return sent.at(-1)!.status === 'accepted'
  })
  return sent
}

/** Resolves when a gateway is ready and has nothing to complain of: its spool is empty and its way to Redis open. */
export async function untilWell (gateway: TestGateway): Promise<void> {
  await until('/readyz says ok', async () => (await seeReadiness(gateway)).status === 'ok')
}

export interface SpoolStage {
  scene: Scene
  redis: ExternalRedis
  subscribers: [TestSubscriber, TestSubscriber]
  gateway: GatewayProcess
}

/** A gateway process on an external Redis, with two subscribers that want everything. */
export async function setSpoolStage (t: TestContext, settings: Settings = {}): Promise<SpoolStage> {
  const scene = setScene(t)
  const redis = await scene.redis()
  t.teardown(() => { redis.process.kill('SIGCONT') })
  const subscribers: SpoolStage['subscribers'] = [await scene.subscriber(), await scene.subscriber()]
  const gateway = await scene.process(scene.home({
    ...onRedis(redis),
    subscribers: subscribers.map(({ url }, at) => ({ name: `s${at}`, url })),
    ...settings
  }))
  return { scene, redis, subscribers, gateway }
}

/** Everything that was answered with 200 has arrived everywhere, and nothing waits. */
export async function allArrived (t: Test, { subscribers, gateway }: Pick<SpoolStage, 'subscribers' | 'gateway'>, sent: readonly Sent[]): Promise<void> {
  const safe = sent.filter(({ status }) => typeof status === 'string')
  for (const subscriber of subscribers) await subscriber.waitUntil(() => hasAll(subscriber, safe))
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 }, `${safe.length} callbacks were answered 200, and all are delivered`)
}

/**
 * Redis goes away, callbacks come all the while, and it comes back: what was
 * promised of that holds. It comes back only when every callback has been
 * answered, so one that waits for it waits for ever.
 */
export async function sitOut (t: Test, { begin, end, reason = /./ }: Outage, forMs: number): Promise<void> {
  const { redis, subscribers, gateway } = await setSpoolStage(t)
  const before = await sendMany(gateway, 'before', 20)
  t.ok(areTaken(before), 'all is well')
  for (const subscriber of subscribers) await subscriber.waitUntil(() => hasAll(subscriber, before))
  await untilWell(gateway)
  const well = gateway.log.length

  await begin(redis)
  const first = await sendMany(gateway, 'first', 50)
  t.strictSame(statusesOf(first), ['spooled'], 'while it is away: the first 50 at the same time')
  const later = await sendFor(gateway, 'later', forMs)
  t.strictSame(statusesOf(later), ['spooled'], `and ${later.length} after them`)
  const health = await seeReadiness(gateway)
  t.match(health, { code: 200, status: 'degraded', reasons: [/callbacks are stored in the spool$/, /^\d+ callbacks wait in the spool \(\d+kb\), the oldest for \d+ s$/] })
  const away = gateway.log.length
  // A machine that stood still before may have sent some to the spool; that they are out of it is told a moment after all is well.
  const told = linesOf(gateway.log.slice(well)).filter((msg, at) => at > 0 || msg !== 'spool.drained')
  t.strictSame(told.filter(msg => msg !== 'accept.unavailable'), ['spool.began'], 'the log says once that they are spooled')
  t.ok(told.length <= 2, 'and why')
  t.match(gateway.log.slice(well).find(({ msg }) => msg === 'spool.began'), { reason })

  await end(redis)
  const spooled = [...first, ...later]
  await Promise.any(subscribers.map(async subscriber => await subscriber.waitFor(before.length + 1)))
  const after = await sendUntilAccepted(gateway, 'after')
  t.equal(after.at(-1)!.status, 'accepted', 'deliveries go on, and new callbacks go straight to Redis')

  for (const subscriber of subscribers) {
    await subscriber.waitUntil(() => hasAll(subscriber, [...spooled, ...after]))
    const ours = subscriber.received.filter(({ headers }) => /^(first|later)-/.test(String(headers['relay-task-id'])))
    t.equal(ours.length, spooled.length, 'each event once')
    const arrivals = new Map(ours.map(({ headers }) => [headers['relay-task-id'], Date.parse(String(headers['relay-received-at']))]))
    t.strictSame(spooled.filter(({ taskId, sentAt, answeredAt }) => !(arrivals.get(taskId)! >= sentAt && arrivals.get(taskId)! <= answeredAt)), [], 'as of its arrival')
  }
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
  await untilWell(gateway)

  const lines = linesOf(gateway.log.slice(away))
  const again = lines.filter(msg => msg === 'spool.began').length
  t.ok(lines.length <= LINES_OF_A_RETURN * (1 + again), `its return is told in a few lines: ${lines.join(', ')}`)
  t.notOk(JSON.stringify(gateway.log).includes(IN_THE_BODY), 'and no line of it has a body')
}

/** How many lines the log has of one return of Redis, at most: a pause of the machine may make it two. */
const LINES_OF_A_RETURN = 5

/** What the log says of the way that callbacks take. */
function linesOf (log: TestGateway['log']): unknown[] {
  return log.filter(({ msg, level }) => /^(spool\.|accept\.)/.test(String(msg)) && level !== 'debug').map(({ msg }) => msg)
}
