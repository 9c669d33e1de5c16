/**
 * Promise 1 with a Redis behind Sentinel: with `redis.waitReplicas: 1` nothing
 * that was acknowledged is lost when the primary dies or is cut off, not even
 * while its replica lags; without it, that is what is lost.
 */
import t, { type Test } from '../support/tap.js'
import type { GatewayProcess } from '../support/gateway.js'
import { areTaken, hasAll, sending, sendMany, sendOnce, statusesOf, type Sending } from '../support/outage.js'
import { logged, sendDuplicate, seeReadiness, setScene, untilNothingIsOpen, type Scene } from '../support/scene.js'
import { startSentinel, type Sentinel } from '../support/sentinel.js'
import { answers, type TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

const PREFIXES = ['x', 'y', 'z']

interface Stage { scene: Scene, servers: Sentinel, gateway: GatewayProcess, subscribers: TestSubscriber[] }

async function setStage (t: Test, waitReplicas: number, args: string[] = []): Promise<Stage> {
  const servers = await startSentinel(1, args)
  const scene = setScene(t)
  t.teardown(async () => { await servers.close() })
  const subscribers = [await scene.subscriber()]
  const gateway = await scene.process(scene.home({
    redis: { ...servers.settings, waitReplicas },
    subscribers: subscribers.map(({ url }) => ({ name: 'a', url }))
  }))
  return { scene, servers, gateway, subscribers }
}

/** One is accepted at once again; none was refused, and all arrive. */
async function allIsWell (t: Test, { gateway, subscribers }: Pick<Stage, 'gateway' | 'subscribers'>, sender: Sending): Promise<void> {
  const before = sender.sent.length
  await until(() => sender.sent.slice(before).some(({ status }) => status === 'accepted') || undefined)
  const sent = await sender.stop()
  t.ok(areTaken(sent), 'none was refused')
  await until(() => hasAll(subscribers[0]!, sent) || undefined)
  await untilNothingIsOpen(gateway)
}

t.test('the primary is killed under load: every callback is acknowledged, and arrives', async t => {
  const { servers, gateway, subscribers } = await setStage(t, 1)
  const sender = sending(gateway, PREFIXES)
  await until(() => sender.sent.length > 100 || undefined)
  const primary = await servers.primary()
  await primary.kill()
  await servers.failedOver(primary)
  await primary.restart() // as a supervisor does; the sentinel makes it a replica
  await allIsWell(t, { gateway, subscribers }, sender)
})

t.test('a replica that lags is waited for: what it does not have goes to the spool, and survives the primary', async t => {
  const { servers, gateway, subscribers } = await setStage(t, 1)
  const [primary, replica] = servers.members as [Sentinel['members'][0], Sentinel['members'][0]]
  const before = await sendMany(gateway, 'before', 10)
  t.ok(areTaken(before))
  replica.process.kill('SIGSTOP')
  const lagging = await sendMany(gateway, 'lagging', 20)
  t.strictSame(statusesOf(lagging), ['spooled'])
  t.match(await seeReadiness(gateway), { code: 200, status: 'degraded' })
  await primary.kill()
  replica.process.kill('SIGCONT')
  await servers.failedOver(primary)
  await primary.restart()
  await until(() => hasAll(subscribers[0]!, [...before, ...lagging]) || undefined)
  await untilNothingIsOpen(gateway)
})

t.test('without waiting for it the same loses what it did not have, and the start warns of that', async t => {
  const { servers, gateway, subscribers } = await setStage(t, 0)
  t.match(await logged(gateway, ({ msg }) => /^Redis has replicas/.test(String(msg))), {
    level: 'warn', msg: /can lose callbacks.*set redis\.waitReplicas to 1, and min-replicas-to-write to 1/
  })
  const [primary, replica] = servers.members as [Sentinel['members'][0], Sentinel['members'][0]]
  subscribers[0]!.behave(answers.hang)
  t.ok(areTaken(await sendMany(gateway, 'before', 10)))
  replica.process.kill('SIGSTOP')
  // More than the kernel holds for a process that does not read.
  const body = (n: number): object => ({ taskId: `lagging-${n}`, status: 1, type: 'x', filler: 'x'.repeat(900_000) })
  let n = 0
  const eventId = await until('forty callbacks that nobody else has, the last of them in Redis', async () => {
    const { status, json } = await gateway.post(body(n++))
    t.equal(status, 200)
    return n >= 40 && json['status'] === 'accepted' && json['eventId']
  })
  await primary.kill()
  replica.process.kill('SIGCONT')
  await servers.failedOver(primary)
  // With others: one that is spooled now would be accepted from there, and its duplicate be a duplicate.
  let probes = 0
  await until(async () => (await sendOnce(gateway, `probe-${++probes}`)).status === 'accepted' || undefined)
  const { json: again } = await sendDuplicate(gateway, body(n - 1))
  t.match(again['eventId'], /^evt_/)
  t.not(again['eventId'], eventId, 'nobody remembers it: a duplicate is new')
})

t.test('a primary that is cut off and comes back takes nothing down with it', async t => {
  const { servers, gateway, subscribers } = await setStage(t, 1)
  const sender = sending(gateway, PREFIXES)
  await until(() => sender.sent.length > 100 || undefined)
  const primary = await servers.primary()
  primary.process.kill('SIGSTOP')
  await servers.failedOver(primary)
  primary.process.kill('SIGCONT')
  await allIsWell(t, { gateway, subscribers }, sender)
})
