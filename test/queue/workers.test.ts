/**
 * Workers follow the configuration, and do not stop for ever.
 */
import t from '../support/tap.js'
import { readSubscriber } from '../../src/record/read-subscribers.js'
import { startRedis } from '../support/redis.js'
import { accepted, openGateway, policyFor, recordingDeliver, subscriberNamed } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

t.test('subscribers get their worker, keep it and lose it as the configuration says', async t => {
  const policy = policyFor(['a', 'b'])
  const gateway = await openGateway(t, server, { prefix: 'apply', policy })
  const { deliver, sent } = recordingDeliver()
  const workers = await gateway.work(deliver)
  const took = (): string[] => sent.map(({ subscriber, event }) => `${subscriber} ${event.taskId}`).sort()

  await accepted(gateway, { taskId: 't1' })
  await until('both are sent', () => sent.length === 2)
  policy.subscribers = [subscriberNamed('b', { concurrency: 1 }), subscriberNamed('c')]
  await workers.apply(policy.subscribers, 0)
  await accepted(gateway, { taskId: 't2' })
  await until('both are sent', () => sent.length === 4)
  t.strictSame(took(), ['a t1', 'b t1', 'b t2', 'c t2'])

  const toA = await accepted(gateway, { taskId: 't3' }, { only: 'b' })
  await until('it is sent', () => sent.length === 5)
  t.equal(sent[4]!.event.id, toA)
  await workers.stop(0)
  await accepted(gateway, { taskId: 't4' })
  t.equal((await gateway.queues.count('b')).jobs + (await gateway.queues.count('c')).jobs, 2, 'stopped workers take nothing')
})

t.test('a worker that has stopped taking jobs is replaced, and what it had in hand is delivered all the same', async t => {
  const policy = { ...policyFor([]), subscribers: [subscriberNamed('a', { concurrency: 1, timeoutMs: 100 }), subscriberNamed('b')] }
  const gateway = await openGateway(t, server, { prefix: 'stuck', policy })
  const { deliver, sent } = recordingDeliver(async () => {
    // Nothing ends it: neither a stop nor a time limit.
    if (sent.length === 1) await new Promise(() => {})
    return { state: 'delivered' }
  })
  await accepted(gateway, { taskId: 't1' }, { only: 'a' })
  await accepted(gateway, { taskId: 't2' }, { only: 'a' })
  await gateway.work(deliver, { stuckAfterMs: 400, tickEveryMs: 200 })
  await until('both are delivered', async () => (await readSubscriber(gateway.blocking, 'a'))!.counts.delivered === 2)
  t.match(gateway.facts.find(({ fact }) => fact === 'queue.worker-replaced'), { subscriber: 'a' })
})

t.test('a limit that is changed is in force with the next job', async t => {
  const policy = { ...policyFor([]), subscribers: [subscriberNamed('a', { rateLimit: { max: 1, perMs: 86_400_000 } })] }
  const gateway = await openGateway(t, server, { prefix: 'limits', policy })
  const { deliver, sent } = recordingDeliver()
  const workers = await gateway.work(deliver)
  for (let n = 0; n < 3; n++) await accepted(gateway, { taskId: `t${n}` })
  await until('one is sent', () => sent.length === 1)
  await until('the limit holds the others back', async () => Object.keys(await gateway.blocking.redis.hgetall(gateway.keys.sent('a'))).length === 1)
  await workers.apply([subscriberNamed('a', { rateLimit: { max: 100, perMs: 100 } })], 0)
  await until('the others are sent', () => sent.length === 3)
  t.pass('and nobody waits for a day')
})

t.test('a slow subscriber keeps no other waiting', async t => {
  const gateway = await openGateway(t, server, { prefix: 'slow', policy: policyFor(['slow', 'quick']) })
  const { deliver, sent } = recordingDeliver(async ({ subscriber }, signal) => {
    if (subscriber === 'quick') return { state: 'delivered' }
    await new Promise<void>(resolve => { signal.addEventListener('abort', () => { resolve() }) })
    return { state: 'unchanged' }
  })
  await gateway.work(deliver)
  for (let n = 0; n < 40; n++) await accepted(gateway, { taskId: `t${n}` })
  await until('the quick one has all', () => sent.filter(({ subscriber }) => subscriber === 'quick').length === 40)
  t.equal(sent.filter(({ subscriber }) => subscriber === 'slow').length, 16)
})
