/**
 * A worker obeys what `deliver` says of a job, over any number of replicas,
 * and gives back what it cannot finish.
 */
import t, { type Test } from '../../support/tap.js'
import { jobIdOf } from '../../../src/model/delivery.js'
import type { Verdict } from '../../../src/model/work.js'
import type { Subscriber } from '../../../src/model/subscriber.js'
import { createBatches } from '../../../src/queue/bullmq/batches.js'
import { GIVE_BACK_MS, startWorker, type Deliver } from '../../../src/queue/bullmq/worker.js'
import { clearHold, setHold } from '../../../src/record/holds.js'
import { readEvent } from '../../../src/record/read-event.js'
import { readSubscriber } from '../../../src/record/read-subscribers.js'
import { keysOf } from '../../../src/redis/keys.js'
import { startRedis } from '../../support/redis.js'
import { accepted, attemptOf, NO_LIMITS, openGateway, policyFor, RECORDING, recordingDeliver, subscriberNamed, type Gateway } from '../../support/relay.js'
import { until } from '../../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, overrides: Partial<Subscriber> = {}, replicas = 1): Promise<[Gateway, ...Gateway[]]> {
  const prefix = `p${++prefixes}`
  const policy = { ...policyFor([]), subscribers: [subscriberNamed('a', overrides)] }
  const gateways = await Promise.all(Array.from({ length: replicas }, async () => await openGateway(t, server, { prefix, policy })))
  return gateways as [Gateway, ...Gateway[]]
}

/** Accepts so many events; their job ids, in order. */
async function jobsOf (gateway: Gateway, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push(jobIdOf(await accepted(gateway, { taskId: `t${n}` }), 1))
  return ids
}

interface Run { jobId: string, at: number }

/** A `deliver` that answers from a list, then with `done`. */
function scripted (verdicts: Array<() => Verdict>): { deliver: Deliver, runs: Run[] } {
  const runs: Run[] = []
  const deliver: Deliver = async ({ jobId }) => {
    runs.push({ jobId, at: Date.now() })
    return verdicts[runs.length - 1]?.() ?? { kind: 'done' }
  }
  return { deliver, runs }
}

const isEmpty = (gateway: Gateway) => async (): Promise<boolean> => (await gateway.queues.count('a')).jobs === 0

t.test('done: the job is gone, and nothing of it is left', async t => {
  const [gateway] = await open(t)
  const [jobId] = await jobsOf(gateway, 1)
  const { deliver, runs } = scripted([])
  await gateway.work(deliver)
  await until('it is finished', isEmpty(gateway))
  t.strictSame(runs.map(run => run.jobId), [jobId])
  const { keys, blocking: { redis } } = gateway
  t.strictSame((await redis.keys(`${keys.queuePrefix}:a:*`)).filter(key => key.includes('evt_') || /:(completed|failed)$/.test(key)), [])
})

t.test('again: the job runs again, no sooner than it was told', async t => {
  const [gateway] = await open(t)
  await jobsOf(gateway, 1)
  const { deliver, runs } = scripted([() => ({ kind: 'again', afterMs: 250 }), () => ({ kind: 'again', afterMs: 0 })])
  await gateway.work(deliver)
  await until('it is finished', isEmpty(gateway))
  t.equal(runs.length, 3)
  t.ok(runs[1]!.at - runs[0]!.at >= 250)
})

t.test('give back: the job is the next to run, by whoever takes it', async t => {
  const [gateway] = await open(t, { concurrency: 1 })
  const [first, second] = await jobsOf(gateway, 2)
  const { deliver, runs } = scripted([() => ({ kind: 'give-back', onHold: false })])
  await gateway.work(deliver)
  await until('both are finished', isEmpty(gateway))
  t.strictSame(runs.map(run => run.jobId), [first, first, second])
})

t.test('give back on hold: the job comes again, but not at once', async t => {
  const [gateway] = await open(t, { concurrency: 1 })
  const [first, second] = await jobsOf(gateway, 2)
  const { deliver, runs } = scripted([() => ({ kind: 'give-back', onHold: true })])
  await gateway.work(deliver)
  await until('both are finished', isEmpty(gateway))
  t.strictSame(runs.map(run => run.jobId), [first, second, first])
})

t.test('a deliver that fails by surprise is tried again, and it is reported', async t => {
  const [gateway] = await open(t)
  await jobsOf(gateway, 1)
  const { deliver, runs } = scripted([() => { throw new Error('a bug of ours') }])
  await gateway.work(deliver)
  await until('it is finished', isEmpty(gateway))
  t.equal(runs.length, 2)
  t.match(gateway.facts.find(({ fact }) => fact === 'queue.trouble'), { subscriber: 'a', error: 'a bug of ours' })
})

/** The first attempt is throttled for so long, and made again at once as far as it goes. */
function throttledFor (throttleMs: number): { deliver: Deliver, runs: Run[] } {
  const runs: Run[] = []
  return {
    runs,
    async deliver ({ jobId, opened }) {
      const now = Date.now()
      runs.push({ jobId, at: now })
      if (runs.length > 1) return { kind: 'done' }
      const result = {
        eventId: opened.event.id, subscriber: 'a', generation: 1, attempt: attemptOf({ at: now }), outcome: null, usesBudget: true, next: { state: 'retrying' as const, waitMs: 0 }, throttleMs
      }
      return { kind: 'again', afterMs: 0, result }
    }
  }
}

for (const rateLimit of [null, { max: 1_000, perMs: 60_000 }]) {
  t.test(`throttling delays the other jobs of the subscriber, unattempted, on every replica (rate limit: ${JSON.stringify(rateLimit)})`, async t => {
    const [gateway, other] = await open(t, { concurrency: 1, rateLimit }, 2)
    const jobs = await jobsOf(gateway, 3)
    const { deliver, runs } = throttledFor(600.5)
    await gateway.work(deliver)
    await until('the first was attempted', () => runs.length > 0)
    await other!.work(deliver)
    await until('all are finished', isEmpty(gateway))
    t.equal(runs.length, 4)
    t.strictSame(new Set(runs.map(run => run.jobId)), new Set(jobs))
    t.ok(runs[1]!.at - runs[0]!.at >= 600, `${runs[1]!.at - runs[0]!.at} ms of throttling`)
  })
}

t.test('throttling for no time is none', async t => {
  const [gateway] = await open(t)
  await jobsOf(gateway, 2)
  const { deliver, runs } = throttledFor(0)
  await gateway.work(deliver)
  await until('both are finished', isEmpty(gateway))
  t.equal(runs.length, 3)
  t.equal((await readSubscriber(gateway.blocking, 'a'))!.holds.length, 0)
})

t.test('concurrency counts over all replicas', async t => {
  const [gateway, other] = await open(t, { concurrency: 3 }, 2)
  await jobsOf(gateway, 12)
  let active = 0
  let most = 0
  const waiting: Array<() => void> = []
  const deliver: Deliver = async () => {
    most = Math.max(most, ++active)
    await new Promise<void>(resolve => { waiting.push(resolve) })
    active -= 1
    return { kind: 'done' }
  }
  await gateway.work(deliver)
  await other!.work(deliver)
  let finished = 0
  while (finished < 12) {
    await until('as many run as may', () => active === Math.min(3, 12 - finished))
    finished += waiting.length
    for (const finish of waiting.splice(0)) finish()
  }
  await until('all are finished', isEmpty(gateway))
  t.equal(most, 3)
})

t.test('a replica that comes later gets its share of a busy subscriber', async t => {
  const [gateway, other] = await open(t, { concurrency: 4 }, 2)
  await jobsOf(gateway, 600)
  const runs = [0, 0]
  let begin = (): void => {}
  const begun = new Promise<void>(resolve => { begin = resolve })
  const counting = (at: number): Deliver => async () => {
    runs[at]! += 1
    if (at === 0 && runs[0] === 4) begin()
    await new Promise<void>(resolve => { setImmediate(resolve) })
    return { kind: 'done' }
  }
  await gateway.work(counting(0))
  await begun
  await other!.work(counting(1))
  await until('all are finished', isEmpty(gateway))
  t.equal(runs[0]! + runs[1]!, 600)
  t.ok(runs[1]! > 0, `${runs.join(' and ')}`)
})

t.test('a rate limit counts over all replicas', async t => {
  const [gateway, other] = await open(t, { rateLimit: { max: 4, perMs: 500 } }, 2)
  await jobsOf(gateway, 10)
  const { deliver, runs } = scripted([])
  const began = Date.now()
  await gateway.work(deliver)
  await other!.work(deliver)
  await until('all are finished', isEmpty(gateway))
  const starts = runs.map(({ at }) => at - began)
  t.ok(starts[4]! >= 495, `the fifth after ${starts[4]} ms`)
  t.ok(starts[8]! >= 990, `the ninth after ${starts[8]} ms`)
})

t.test('a rate limit per minute is no limit per second', async t => {
  const [gateway] = await open(t, { rateLimit: { max: 2, perMs: 60_000 } })
  await jobsOf(gateway, 3)
  const { deliver, runs } = scripted([])
  await gateway.work(deliver)
  await until('two are finished', async () => (await gateway.queues.count('a')).jobs === 1)
  t.equal(runs.length, 2)
  const sent = await gateway.blocking.redis.hgetall(gateway.keys.sent('a'))
  t.strictSame(Object.values(sent).reduce((sum, count) => sum + Number(count), 0), 2, 'the third waits for the minute')
})

t.test('a subscriber on hold gets nothing from any replica; what is in flight finishes', async t => {
  const [gateway, other] = await open(t, {}, 2)
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await other!.work(deliver)
  await setHold(gateway.blocking, 'a', 'pause')
  await jobsOf(gateway, 3)
  t.equal((await gateway.queues.count('a')).jobs, 3)
  t.strictSame(sent, [])
  await clearHold(gateway.blocking, 'a', 'pause')
  await other!.queues.wake('a')
  await until('all are finished', isEmpty(gateway))
  t.equal(sent.length, 3)
})

t.test('stopping waits for what is in flight, and begins nothing more', async t => {
  const [gateway] = await open(t, { concurrency: 1 })
  await jobsOf(gateway, 2)
  let finish = (): void => {}
  const { deliver, sent } = recordingDeliver(async () => {
    await new Promise<void>(resolve => { finish = resolve })
    return { state: 'delivered' }
  })
  const workers = await gateway.work(deliver)
  await until('one is in flight', () => sent.length === 1)
  const stopped = workers.stop(60_000)
  finish()
  await stopped
  t.equal((await gateway.queues.count('a')).jobs, 1, 'one is delivered, the other was not begun')
  t.equal(sent.length, 1)
})

t.test('what does not finish in time is cut off and goes back, at no cost of budget', async t => {
  const [gateway, other] = await open(t, {}, 2)
  const [jobId] = await jobsOf(gateway, 1)
  const hanging = recordingDeliver(async (_, signal) => {
    await new Promise<void>(resolve => { signal.addEventListener('abort', () => { resolve() }) })
    return { state: 'unchanged' }
  })
  const workers = await gateway.work(hanging.deliver)
  await until('it is in flight', () => hanging.sent.length === 1)
  const began = performance.now()
  await workers.stop(100)
  t.ok(performance.now() - began >= 95)
  await until('it is back', async () => (await gateway.blocking.redis.lrange(`${gateway.keys.queuePrefix}:a:wait`, 0, -1)).join() === jobId)

  const { deliver, sent } = recordingDeliver()
  await other!.work(deliver)
  await until('it is finished', isEmpty(gateway))
  t.equal(sent[0]!.attempt, 2)
  const { deliveries } = (await readEvent(gateway.store, sent[0]!.event.id))!
  t.match(deliveries, [{ state: 'delivered', attempts: 2, budgetUsed: 1 }])
})

t.test('without Redis, stopping ends all the same', async t => {
  const own = await startRedis()
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a']) })
  await jobsOf(gateway, 1)
  const { deliver, sent } = recordingDeliver(async (_, signal) => {
    await new Promise<void>(resolve => { signal.addEventListener('abort', () => { resolve() }) })
    return { state: 'unchanged' }
  })
  const workers = await gateway.work(deliver)
  await until('it is in flight', () => sent.length === 1)
  await own.kill()
  await workers.stop(0)
  t.ok(GIVE_BACK_MS <= 1_000, 'a second later')
  await own.restart()
})

t.test('a worker that never got its own connection ends all the same', async t => {
  const own = await startRedis()
  t.teardown(async () => { await own.close() })
  const redis = own.client()
  await redis.config('SET', 'maxclients', '1')
  const keys = keysOf('relay')
  const worker = startWorker({
    subscriber: 'a',
    concurrency: 1,
    deliver: scripted([]).deliver,
    batches: createBatches({ redis, keys, recording: RECORDING, limitsOf: () => NO_LIMITS }),
    redis,
    keys,
    report: () => {}
  })
  await until('it would take jobs', async () => await redis.exists(`${keys.queuePrefix}:a:stalled-check`) === 1)
  await worker.stop(0)
  t.pass('and this file would not end if a timer of it were left')
})

t.test('workers go on by themselves when Redis was away', async t => {
  const own = await startRedis()
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor(['a']) })
  let finish = (): void => {}
  const { deliver, sent } = recordingDeliver(async ({ event }) => {
    if (event.taskId === 't0') await new Promise<void>(resolve => { finish = resolve })
    return { state: 'delivered' }
  })
  await gateway.work(deliver)
  await jobsOf(gateway, 2)
  await until('one is in flight, the other done', () => sent.length === 2)
  await own.kill()
  finish()
  await own.restart()
  await until('accepting works again', async () => await gateway.accept({ body: Buffer.from('{"taskId":"t9","status":1,"type":"x"}'), contentType: 'x', receivedAt: Date.now(), flags: [] }).then(({ kind }) => kind === 'accepted'))
  await until('all are finished', isEmpty(gateway))
  t.strictSame(new Set(sent.map(({ event }) => event.taskId)), new Set(['t0', 't1', 't9']))
})
