/**
 * Accepting while Redis is away, frozen, read-only, full or forgetful: an
 * answer comes meanwhile, "accepted" only for what is safe, and nothing has to
 * be restarted afterwards.
 */
import t, { type Test } from '../support/tap.js'
import { readEvent } from '../../src/record/read-event.js'
import { connectRedis, waitUntilReady } from '../../src/redis/connect.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import {
  accepted, allEvents, callback, endDelivery, failFastClient, hasJob, loseJob, openGateway, policyFor, recordingDeliver, type Gateway
} from '../support/relay.js'
import { until } from '../support/until.js'

interface Scene {
  server: TestRedis
  gateway: Gateway
  /** The connection that it accepts on. */
  failFast: ReturnType<TestRedis['client']>
}

/** A command may take as long as it takes, unless Redis is gone; or as long as the gateway lets it, where it hangs. */
async function start (t: Test, { hangs = false } = {}): Promise<Scene> {
  const server = await startRedis()
  t.teardown(async () => { await server.close() })
  const failFast = hangs ? await failFastClient(server) : server.client({ enableOfflineQueue: false, maxRetriesPerRequest: 1 })
  await waitUntilReady(failFast, 30_000)
  return { server, gateway: await openGateway(t, server, { prefix: 'relay', policy: policyFor(['a', 'b']), failFast }), failFast }
}

async function untilAccepted (gateway: Gateway, taskId: string): Promise<void> {
  await until('accepting works again', async () =>
    ['accepted', 'duplicate'].includes((await gateway.accept(callback({ taskId }))).kind))
}

t.test('while Redis is down an arrival is unavailable, and accepted when it is back', async t => {
  const { server, gateway } = await start(t)
  await accepted(gateway, { taskId: 'before' })
  await server.kill()
  t.match(await gateway.accept(callback({ taskId: 't1' })), { kind: 'unavailable' })
  t.match(gateway.facts.at(-1), { fact: 'accept.unavailable', reason: /\S/ })
  await server.restart()
  await untilAccepted(gateway, 't1')
  t.strictSame((await allEvents(gateway)).map(({ event }) => event.taskId), ['t1', 'before'])
})

t.test('while Redis is frozen every copy of an arrival is answered when a command has had its time', async t => {
  const { server, gateway } = await start(t, { hangs: true })
  await untilAccepted(gateway, 'before')
  server.process.kill('SIGSTOP')
  t.teardown(() => { server.process.kill('SIGCONT') })
  const answers = await Promise.all(['t1', 't1', 't1', 't2'].map(async taskId => await gateway.accept(callback({ taskId }))))
  for (const answer of answers) t.match(answer, { kind: 'unavailable', reason: 'Command timed out' })
  server.process.kill('SIGCONT')
  await untilAccepted(gateway, 't1')
  await untilAccepted(gateway, 't2')
  t.equal((await allEvents(gateway)).length, 3, 'whether it was the frozen command or the retry that made it: once')
})

t.test('of many that arrive while Redis is frozen, none waits longer than the first', async t => {
  const { server, gateway, failFast } = await start(t, { hangs: true })
  await untilAccepted(gateway, 'before')
  let asked = 0
  const send = failFast.sendCommand.bind(failFast)
  failFast.sendCommand = (...args) => {
    asked++
    return send(...args)
  }
  server.process.kill('SIGSTOP')
  t.teardown(() => { server.process.kill('SIGCONT') })
  const acceptances = await Promise.all(Array.from({ length: 300 }, async (_, n) => await gateway.accept(callback({ taskId: `t${n}` }))))
  t.ok(acceptances.every(({ kind }) => kind === 'unavailable'))
  t.equal(asked, 2, 'when the first calls fail nobody asks anew')
})

t.test('a read-only replica accepts nothing, and everything again as a primary', async t => {
  const { gateway } = await start(t)
  const { redis } = gateway.blocking
  await redis.call('REPLICAOF', '127.0.0.1', '1')
  t.match(await gateway.accept(callback({ taskId: 't1' })), { kind: 'unavailable', reason: /READONLY|read only/i })
  await redis.call('REPLICAOF', 'NO', 'ONE')
  await untilAccepted(gateway, 't1')
  t.equal((await allEvents(gateway)).length, 1)
})

t.test('an arrival that meets a server which became a replica makes the driver look for the primary', async t => {
  const server = await startRedis()
  const { failFast, close } = connectRedis({ target: { kind: 'socket', path: server.path }, report () {} })
  t.teardown(async () => {
    await close()
    await server.close()
  })
  await waitUntilReady(failFast, 5_000)
  const gateway = await openGateway(t, server, { prefix: 'relay', policy: policyFor(['a']), failFast })
  await gateway.blocking.redis.call('REPLICAOF', '127.0.0.1', '1')
  const again = new Promise<void>(resolve => { failFast.once('reconnecting', () => { resolve() }) })
  t.match(await gateway.accept(callback({ taskId: 't1' })), { kind: 'unavailable', reason: /READONLY/ })
  await again
  await gateway.blocking.redis.call('REPLICAOF', 'NO', 'ONE')
  await untilAccepted(gateway, 't1')
})

t.test('a full Redis accepts nothing, keeps no half of anything, and still records attempts', async t => {
  const { gateway } = await start(t)
  const { redis } = gateway.blocking
  const before = await accepted(gateway, { taskId: 'before' })
  const keysBefore = (await redis.keys('*')).sort()
  await redis.config('SET', 'maxmemory', '1')
  t.match(await gateway.accept(callback({ taskId: 't1' })), { kind: 'unavailable', reason: /OOM|maxmemory/ })
  t.strictSame((await redis.keys('*')).sort(), keysBefore)

  await endDelivery(gateway, 'a', before, { state: 'delivered' })
  const { deliveries } = (await readEvent(gateway.blocking, before))!
  t.strictSame(deliveries.map(({ state }) => state), ['delivered', 'queued'], 'what was sent is known, so it is not sent again')

  await redis.config('SET', 'maxmemory', '0')
  await untilAccepted(gateway, 't1')
  t.ok((await allEvents(gateway)).every(({ deliveries }) => deliveries.length === 2))
})

t.test('a Redis that forgot its scripts is told them again', async t => {
  const { gateway } = await start(t)
  await accepted(gateway, { taskId: 't1' })
  for (let n = 0; n < 3; n++) {
    await gateway.blocking.redis.script('FLUSH')
    const id = await accepted(gateway, { taskId: `after ${n}` })
    t.ok(await hasJob(gateway, 'a', id))
    t.equal((await readEvent(gateway.store, id))!.event.duplicates, 0, 'to send it twice was no duplicate')
  }
})

t.test('everything answered with accepted survives a kill -9 of Redis, with all its jobs', async t => {
  const { server, gateway } = await start(t)
  const safe: string[] = []
  let arrivals = 0
  const away = new AbortController()
  async function send (): Promise<void> {
    while (!away.signal.aborted) {
      const acceptance = await gateway.accept(callback({ taskId: `t${++arrivals}` }))
      if (acceptance.kind === 'accepted') safe.push(acceptance.eventId)
    }
  }
  const senders = Array.from({ length: 16 }, send)
  await until('some are accepted', () => safe.length > 200)
  const killed = server.kill()
  away.abort()
  await killed
  await Promise.all(senders)
  await server.restart()

  const rows = new Map((await allEvents(gateway)).map(row => [row.event.id, row]))
  const lost: string[] = []
  for (const id of safe) {
    const row = rows.get(id)
    const whole = row?.deliveries.length === 2 && await hasJob(gateway, 'a', id) && await hasJob(gateway, 'b', id)
    if (!whole) lost.push(id)
  }
  t.strictSame(lost, [])
  t.equal(await gateway.reconciler().round(), 0, 'nor does anything else miss a job')
})

t.test('a job that was lost after all is added by the next round of the reconciler', async t => {
  const { gateway } = await start(t)
  const first = await accepted(gateway, { taskId: 't1' })
  const second = await accepted(gateway, { taskId: 't2' })
  await loseJob(gateway, 'a', first)
  await loseJob(gateway, 'b', second)
  t.equal(await gateway.reconciler().round(), 2)
  const { deliver, sent } = recordingDeliver()
  await gateway.work(deliver)
  await until('all are sent', () => sent.length >= 4)
  t.strictSame(sent.map(({ subscriber, event }) => `${subscriber} ${event.taskId}`).sort(), ['a t1', 'a t2', 'b t1', 'b t2'])
})
