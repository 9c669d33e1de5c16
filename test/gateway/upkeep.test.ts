/**
 * What one of all replicas does for all of them by itself: holds are put right,
 * whoever is no more is forgotten, backlogs stay bounded.
 */
import t, { type Test } from '../support/tap.js'
import { createUpkeep, type Upkeep } from '../../src/gateway/upkeep.js'
import { clearHold, readHolds } from '../../src/record/holds.js'
import { startRedis } from '../support/redis.js'
import { accepted, openGateway, policyFor, recordingDeliver, type Gateway, type Policy } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0

async function open (t: Test): Promise<{ gateway: Gateway, upkeep: Upkeep }> {
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(['a', 'b']) })
  const upkeep = upkeepOf(gateway)
  t.teardown(upkeep.stop)
  return { gateway, upkeep }
}

function upkeepOf ({ blocking, queues, policy, facts }: Gateway, config: () => Policy = () => policy): Upkeep {
  return createUpkeep({ store: blocking, queues, config, report: fact => { facts.push(fact) } })
}

t.test('whoever was held by mistake is let go, told, and gets what waits', async t => {
  const { gateway, upkeep } = await open(t)
  gateway.policy.subscribers[1]!.enabled = false
  await upkeep.takeUp()
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await gateway.blocking.redis.hset(gateway.keys.subscriber('a'), { 'hold:removed': '1', heldSince: '1' })
  await clearHold(gateway.blocking, 'b', 'disabled')
  upkeep.start()
  await until('b is held again', async () => (await readHolds(gateway.blocking)).get('b')?.by === 'disabled')
  await accepted(gateway, { taskId: 't1' })
  await until('a has what waits', () => sent.some(({ subscriber }) => subscriber === 'a'))
  t.strictSame(gateway.facts.filter(({ fact }) => fact === 'subscriber.held' || fact === 'subscriber.released').slice(-2), [
    { fact: 'subscriber.released', subscriber: 'a', by: 'removed' }, { fact: 'subscriber.held', subscriber: 'b', by: 'disabled' }])
})

t.test('whoever is configured no more and has nothing left is forgotten, and told', async t => {
  const { gateway, upkeep } = await open(t)
  gateway.policy.subscribers.splice(1)
  await upkeep.takeUp()
  upkeep.start()
  await until('it is forgotten', async () => !(await readHolds(gateway.blocking)).has('b'))
  await until('it is told', () => gateway.facts.some(({ fact }) => fact === 'subscriber.forgotten'))
  t.match(gateway.facts.find(({ fact }) => fact === 'subscriber.forgotten'), { subscriber: 'b' })
})

t.test('a backlog is bounded, by the configuration that was taken up last', async t => {
  const { gateway, upkeep } = await open(t)
  const unbounded = policyFor(['a', 'b'])
  const other = upkeepOf(gateway, () => unbounded)
  t.teardown(other.stop)
  gateway.policy.subscribers[0]!.maxBacklog = 1
  for (const taskId of ['one', 'two', 'three']) await accepted(gateway, { taskId })
  await other.takeUp()
  await upkeep.takeUp()
  other.start()
  upkeep.start()
  await until('two have failed', async () => await gateway.blocking.redis.zcard(gateway.keys.failed('a')) === 2)
  t.equal(await gateway.blocking.redis.zcard(gateway.keys.failed('b')), 0)
})

t.test('a stop does not wait for a Redis that is away', async t => {
  const { gateway } = await open(t)
  let isAsked = false
  const silent = new Proxy(gateway.blocking.redis, {
    get (redis, name) {
      const member = Reflect.get(redis, name) as unknown
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (name !== 'relay-align-holdsBuffer') return Reflect.apply(member, redis, args) as unknown
        isAsked = true
        return new Promise(() => {})
      }
    }
  })
  const upkeep = upkeepOf({ ...gateway, blocking: { ...gateway.blocking, redis: silent } })
  upkeep.start()
  await until('a round is under way', () => isAsked)
  await t.resolves(upkeep.stop())
})
