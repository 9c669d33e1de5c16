/**
 * Retention really deletes, and never anything that is open or held.
 */
import type { Redis } from 'ioredis'
import t, { type Test } from '../support/tap.js'
import type { DedupePolicy } from '../../src/model/dedupe.js'
import { createSweeper, sweep, type Sweeper, type SweepPolicy } from '../../src/record/sweep.js'
import { setHold } from '../../src/record/holds.js'
import { readEvent } from '../../src/record/read-event.js'
import { callsDuring } from './calls.js'
import { startRedis } from '../support/redis.js'
import {
  accepted, allEvents, callback, endDelivery, giveUp, openGateway, policyFor, recordingDeliver, type Gateway
} from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

const DAY = 86_400_000
const NOW: SweepPolicy = { eventsMs: 0, failedMs: 0, windowMs: 0 }
const LATER: SweepPolicy = { eventsMs: DAY, failedMs: DAY, windowMs: DAY }

let prefixes = 0
async function open (t: Test, names = ['a', 'b'], dedupe: Partial<DedupePolicy> = {}): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names, dedupe) })
}

async function keysOfGateway ({ keys, blocking: { redis } }: Gateway): Promise<string[]> {
  return (await redis.keys(`{${keys.prefix}}:*`)).sort()
}

t.test('what is over leaves no key behind', async t => {
  const gateway = await open(t)
  const { deliver, sent } = recordingDeliver(({ body, subscriber }) =>
    body.includes('"status":2') && subscriber === 'b' ? { state: 'failed', reason: 'exhausted' } : { state: 'delivered' })
  await gateway.work(deliver)
  const settled = async (sends: number): Promise<void> => {
    await until('all are sent and finished', async () => sent.length === sends &&
      (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  }
  await accepted(gateway, { taskId: 'first' })
  await settled(2)
  await sweep(gateway.blocking, NOW)
  const before = await keysOfGateway(gateway)

  for (let n = 0; n < 20; n++) await accepted(gateway, { taskId: `t${n % 7}`, status: n % 4 - 1, n })
  const owed = (await allEvents(gateway)).flatMap(({ deliveries }) => deliveries).length
  await settled(2 + owed)
  t.equal(await sweep(gateway.blocking, NOW), 20)
  await until('claims are gone', async () => (await keysOfGateway(gateway)).length <= before.length)
  t.strictSame(await keysOfGateway(gateway), before)
})

t.test('nothing is deleted before its time', async t => {
  const gateway = await open(t, [])
  await accepted(gateway, { taskId: 't1' })
  t.equal(await sweep(gateway.blocking, LATER), 0)
  t.equal((await allEvents(gateway)).length, 1)
})

t.test('nothing open or held goes by age', async t => {
  const gateway = await open(t, ['a'], { onConflict: 'hold' })
  const queued = await accepted(gateway, { taskId: 'queued' })
  await gateway.blocking.redis.zadd(gateway.keys.ended, 1, queued) // even if it were taken for ended
  const retrying = await accepted(gateway, { taskId: 'retrying' })
  await endDelivery(gateway, 'a', retrying, { state: 'retrying', waitMs: DAY })
  const base = await accepted(gateway, { taskId: 'conflict', url: 'one' })
  await endDelivery(gateway, 'a', base, { state: 'delivered' })
  await accepted(gateway, { taskId: 'conflict', url: 'two' })
  await setHold(gateway.blocking, 'a', 'removed')
  t.equal(await sweep(gateway.blocking, NOW), 1, 'but the delivered one of the same task does')
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.taskId), ['conflict', 'retrying', 'queued'])
  t.equal((await allEvents(gateway, { taskIds: ['conflict'] })).length, 1)
})

t.test('an event goes when its last open delivery is over, not its first', async t => {
  const gateway = await open(t)
  const eventId = await accepted(gateway, { taskId: 't1' })
  await endDelivery(gateway, 'a', eventId, { state: 'delivered' })
  t.equal(await sweep(gateway.blocking, NOW), 0)
  await endDelivery(gateway, 'b', eventId, { state: 'delivered' })
  t.equal(await sweep(gateway.blocking, NOW), 1)
})

t.test('failed ones are kept as long as failed ones are', async t => {
  const gateway = await open(t)
  const failed = await accepted(gateway, { taskId: 'failed' })
  const delivered = await accepted(gateway, { taskId: 'delivered' })
  await endDelivery(gateway, 'a', failed, { state: 'failed', reason: 'exhausted' })
  for (const [name, id] of [['b', failed], ['a', delivered], ['b', delivered]] as const) await endDelivery(gateway, name, id, { state: 'delivered' })
  t.equal(await sweep(gateway.blocking, { ...NOW, failedMs: DAY }), 1)
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.taskId), ['failed'])
  t.equal(await sweep(gateway.blocking, { ...NOW, eventsMs: DAY }), 1)
  t.equal(await gateway.blocking.redis.exists(gateway.keys.failed('a')), 0)

  const discarded = await accepted(gateway, { taskId: 'discarded' })
  await endDelivery(gateway, 'a', discarded, { state: 'failed', reason: 'exhausted' })
  await endDelivery(gateway, 'b', discarded, { state: 'delivered' })
  await giveUp(gateway.blocking, [{ eventId: discarded, subscriber: 'a' }])
  t.equal(await sweep(gateway.blocking, { ...NOW, failedMs: DAY }), 1, 'what was failed and is discarded is an ended one')
})

t.test('a claim outlives its event until the window closes', async t => {
  const gateway = await open(t, [])
  const eventId = await accepted(gateway, { taskId: 't1' })
  t.equal(await sweep(gateway.blocking, { ...NOW, windowMs: DAY }), 1)
  t.strictSame(await gateway.accept(callback({ taskId: 't1' })), { kind: 'duplicate', eventId }, 'a duplicate of what is no more is still a duplicate')
  t.equal(await readEvent(gateway.store, eventId), null)
  t.equal(await gateway.blocking.redis.exists(gateway.keys.event(eventId)), 0, 'and brings nothing back')
  t.equal(await gateway.blocking.redis.exists(gateway.keys.task('t1')), 0, 'the task is gone with its last event')

  await accepted(gateway, { taskId: 't1', status: 2 })
  const [row] = await allEvents(gateway)
  t.strictSame(row!.event.flags, ['conflict'], 'which knows what was before')
})

t.test('a task keeps what its other events need', async t => {
  const gateway = await open(t, ['a'])
  const over = await accepted(gateway, { taskId: 't1', url: 'one' })
  await accepted(gateway, { taskId: 't1', url: 'two' })
  await endDelivery(gateway, 'a', over, { state: 'delivered' })
  t.equal(await sweep(gateway.blocking, NOW), 1)
  t.equal(await gateway.blocking.redis.pttl(gateway.keys.task('t1')), -1)
  await accepted(gateway, { taskId: 't1', url: 'three' })
  t.strictSame((await allEvents(gateway, { taskIds: ['t1'] })).map(({ event }) => event.revision), [3, 2])
})

t.test('an event whose claim was taken over is found by its task, and swept like any other', async t => {
  const gateway = await open(t, ['a'], { windowMs: 0 })
  const old = await accepted(gateway, { taskId: 't1' })
  const young = await accepted(gateway, { taskId: 't1' })
  await endDelivery(gateway, 'a', young, { state: 'delivered' })
  t.equal(await sweep(gateway.blocking, NOW), 1)
  t.strictSame((await allEvents(gateway, { taskIds: ['t1'] })).map(({ event }) => event.id), [old], 'the older one outlives the younger')
  await endDelivery(gateway, 'a', old, { state: 'delivered' })
  t.equal(await sweep(gateway.blocking, NOW), 1)
  t.equal(await gateway.blocking.redis.exists(gateway.keys.task('t1')), 0)
})

t.test('more than one step is swept in one go', async t => {
  const gateway = await open(t, [])
  await Promise.all(Array.from({ length: 450 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  t.equal(await sweep(gateway.blocking, NOW), 450)
  t.equal((await allEvents(gateway)).length, 0)
})

t.test('a sweeper that is stopped sweeps no more, and stopping it waits', async t => {
  const gateway = await open(t, [])
  const sweeper = createSweeper(gateway.blocking, { policy: () => NOW, report: () => {} })
  sweeper.start()
  await sweeper.stop()
  t.pass('the process can end')
})

t.test('a stop waits for the step under way, not for the round', async t => {
  const gateway = await open(t, [])
  await Promise.all(Array.from({ length: 650 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  let steps = 0
  const stopped: Array<Promise<void>> = []
  const store = {
    ...gateway.blocking,
    redis: seeing(gateway.blocking.redis, 'relay-sweep', () => {
      steps += 1
      stopped.push(sweeper.stop())
    })
  }
  const sweeper = createSweeper(store, { policy: () => NOW, report: () => {}, sweepEveryMs: 0 })
  sweeper.start()
  await until('it is stopped', () => stopped.length > 0)
  await Promise.all(stopped)
  t.equal(steps, 1, 'there is no other step')
  t.equal((await allEvents(gateway)).length, 450, 'and more than two steps were left')
})

t.test('of two replicas one sweeps, and the other when it stops or dies', async t => {
  const gateway = await open(t, [])
  const { keys, blocking: { redis } } = gateway
  const asked = [0, 0]
  const [one, other] = asked.map((_, at) => createSweeper(gateway.blocking, {
    policy () {
      asked[at]! += 1
      return NOW
    },
    report: () => {}
  })) as [Sweeper, Sweeper]
  t.teardown(async () => { await Promise.all([one.stop(), other.stop()]) })
  await redis.set(keys.sweepLease, 'of one that has died', 'PX', 300)
  one.start()
  await until('it sweeps when the lease of the dead is over', () => asked[0]! > 0)
  other.start()
  await until('it has swept again and again', () => asked[0]! > 12)
  t.equal(asked[1], 0, 'while the other did not')
  await one.stop()
  await until('the other does', () => asked[1]! > 0)
})

t.test('a round that loses the lease ends with its step', async t => {
  const gateway = await open(t, [])
  await Promise.all(Array.from({ length: 450 }, async (_, n) => await accepted(gateway, { taskId: `t${n}` })))
  t.equal(await sweep(gateway.blocking, NOW, async () => false), 200)
})

/** A client that says when it runs a command. */
function seeing<Client extends object> (client: Client, command: string, see: () => void): Client {
  return new Proxy(client, {
    get (target, name) {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (name === command) see()
        return Reflect.apply(member, target, args) as unknown
      }
    }
  })
}

t.test('a task with thousands of contents is swept without holding Redis up', async t => {
  const gateway = await open(t, [])
  const { redis } = gateway.blocking
  const events = 3_000
  for (let n = 0; n < events; n += 100) {
    await Promise.all(Array.from({ length: 100 }, async (_, at) => await accepted(gateway, { taskId: 'one', n: n + at })))
  }
  const calls = await callsDuring(redis as Redis, async () => { t.equal(await sweep(gateway.blocking, NOW), events) })
  const scripts = calls.of('evalsha')
  t.ok(scripts >= events / 200, `no script deletes more than two hundred: there were ${scripts}`)
  t.ok(calls.of('hgetall') <= scripts, `none reads the task more than once: ${calls.of('hgetall')} times in all`)
  t.ok(calls.all <= 10 * events, `none does more for an event because there are many: ${calls.all} calls`)
  t.notOk(await redis.exists(gateway.keys.task('one'), gateway.keys.eventsOfTask('one')))
})

t.test('a swept test event leaves nothing of its task', async t => {
  const gateway = await open(t, [])
  await accepted(gateway, { taskId: 'tried' }, { flags: ['test'] })
  t.ok(await gateway.blocking.redis.exists(gateway.keys.testTask('tried')))
  await sweep(gateway.blocking, NOW)
  t.notOk(await gateway.blocking.redis.exists(gateway.keys.testTask('tried')))
})
