/**
 * The walk through the record for what cannot be read: what a step costs Redis.
 */
import t from '../support/tap.js'
import { createExaminer } from '../../src/record/examine.js'
import { startRedis } from '../support/redis.js'
import { accepted, openGateway, policyFor } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

t.test('a step reads a bounded amount of attempts, however long they are, and the next goes on behind it', async t => {
  const gateway = await openGateway(t, server, { prefix: 'examined', policy: policyFor(['a']) })
  const { blocking: { redis, keys }, facts } = gateway
  const lines = Array.from({ length: 50 }, (_, n) => JSON.stringify({ n: n + 1, t: 1, x: 'x'.repeat(1_000) })).join('\n')
  const ids: string[] = []
  for (let n = 0; n < 20; n++) ids.push(await accepted(gateway, { taskId: `t${n}` }))
  for (const id of ids) await redis.hset(keys.event(id), 'a:a', lines)
  await redis.hset(keys.event(ids.at(-1)!), 'a:a', lines + '\n{"n":51')

  const examine = createExaminer(gateway.store, { report: fact => { facts.push(fact) } })
  const isFound = (): boolean => facts.some(fact => fact.fact === 'record.corrupt' && fact.eventId === ids.at(-1))
  let steps = 0
  while (!isFound() && steps < ids.length) {
    await examine()
    steps += 1
  }
  t.ok(isFound(), 'the last of them is found')
  t.ok(steps >= 4, `a million bytes took ${steps} steps`)
})
