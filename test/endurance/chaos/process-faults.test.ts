/** Faults of gateways, of their machine, of one Redis, and of ways to subscribers are what their names say, and are over when they are ended. */
import { readFileSync } from 'node:fs'
import t from '../../support/tap.js'
import { whileFull } from '../../../chaos/faults.js'
import { nothing } from '../../../chaos/fault-script.js'
import { SUBSCRIBERS, type FaultKind } from '../../../chaos/plan.js'
import { openStage } from '../../../chaos/stage.js'
import { isFull } from '../../support/filler.js'
import { mayLimit } from '../../support/limits.js'
import { accept, seeEvent, untilState } from '../../support/scene.js'
import { answers, idsOf } from '../../support/subscriber.js'
import { during, setStage, untilAnswered } from './fixtures/one-fault.js'
import { until } from '../../support/until.js'

const IMAGES = SUBSCRIBERS.findIndex(({ isSecure }) => isSecure)
const LOST: ReadonlyArray<[kind: FaultKind, error: RegExp]> = [
  ['subscriber.expired', /CERT_HAS_EXPIRED/],
  ['subscriber.name-unknown', /ENOTFOUND/],
  ['subscriber.name-silent', /the name was not resolved|EAI_AGAIN/],
  ['subscriber.moved', /ECONNREFUSED/]
]
t.test('certificates expire and are renewed, names are not found and are again, or lead to where a subscriber was', { skip: process.platform !== 'linux' && 'needs 127.0.0.2' }, async t => {
  const { stage, gateway } = await setStage(t, 'redis')
  // Where it has moved to, once more: from there it moves back.
  for (const [kind, error] of [...LOST, ...LOST]) {
    const subscriber = SUBSCRIBERS[IMAGES]!.name
    let eventId = ''
    await during(stage, { kind, target: IMAGES }, async () => {
      eventId = await accept(gateway, { taskId: `${kind} ${performance.now()}`, type: 'image.upscale' })
      // The first attempt may share the question about its name with one of the fault before.
      await until(async () => (await seeEvent(gateway, eventId)).attempts.some(one => one.subscriber === subscriber && error.test(String(one.error))) || undefined)
      t.pass(kind)
    })
    await untilState(gateway, { eventId, subscriber }, 'delivered')
  }
  t.strictSame(stage.noticed, [])
})

t.test('an error of its own ends a gateway, and it is started again', async t => {
  const { stage, gateway } = await setStage(t, 'redis')
  await during(stage, { kind: 'gateway.error', target: 0 }, () => { t.equal(gateway.child.exitCode, 1) })
  t.not(stage.gateways[0]!.process(), gateway)
  t.strictSame(stage.noticed, [])
})

t.test('while Redis is kept full, callbacks go to the spool, and what is owed goes on; there is room again when the fault is over', async t => {
  const { stage, gateway } = await setStage(t, 'redis')
  const { subscribers: [everything], servers } = stage
  await accept(gateway, { taskId: 'before' })
  await everything!.waitFor(1)
  everything!.behave(answers.status(500))
  const eventId = await accept(gateway, { taskId: 'owed' })
  const end = await whileFull(() => nothing)(stage, 0)
  const plain = servers.redis!.client()
  await t.rejects(plain.set('plain', '1'), /OOM/)
  await untilAnswered(gateway, 'spooled')
  everything!.behave(answers.ok)
  await untilState(gateway, { eventId, subscriber: SUBSCRIBERS[0].name }, 'delivered')
  await until('it is full although something was delivered', async () => await isFull(plain))
  await end()
  await untilAnswered(gateway, 'accepted')
})

t.test('a stranger finishes jobs, and lines are lost: what is owed is delivered all the same', async t => {
  const { stage, gateway } = await setStage(t, 'redis')
  const steady = SUBSCRIBERS[0].name
  const jobs = `{relay}:queue:${steady}`
  const client = stage.servers.redis!.client()
  for (const kind of ['redis.foreign-worker', 'redis.lost-lines'] as const) {
    await gateway.api('POST', `/api/v1/subscribers/${steady}/pause`)
    const eventId = await accept(gateway, { taskId: kind })
    await until('its job waits', async () => await client.llen(`${jobs}:wait`) > 0)
    await during(stage, { kind, target: 0 }, async () => {
      await until('it is in no line', async () => await client.llen(`${jobs}:wait`) + await client.llen(`${jobs}:active`) === 0)
    })
    await gateway.api('POST', `/api/v1/subscribers/${steady}/resume`)
    await untilState(gateway, { eventId, subscriber: steady }, 'delivered')
  }
  t.strictSame(stage.noticed, [])
})

t.test('clocks that are minutes apart are so from the start, and after each start', async t => {
  const stage = await openStage('redis', { clocksMs: [0, 300_000, -300_000] })
  t.teardown(stage.close)
  const [, ingest] = stage.gateways
  const [everything] = stage.subscribers
  for (const count of [1, 2]) {
    t.equal((await ingest!.process()!.post({ taskId: `t${count}`, status: 1, type: 'x' })).status, 200)
    const { headers } = (await everything!.waitFor(count)).at(-1)!
    t.ok(Date.parse(String(headers['relay-received-at'])) - Date.now() > 200_000, 'its clock is ahead')
    await ingest!.end('kill')
    await ingest!.start()
  }
  t.strictSame(stage.noticed, [])
})

/** Of a process: as the kernel prints it. */
function limitOf (pid: number, name: 'Max open files' | 'Max file size'): string {
  return new RegExp(`${name}\\s+(\\S+)`).exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))![1]!
}

t.test('disks fill and have room again, descriptors run out and are there again, clocks jump and are set right', { skip: !mayLimit() && 'needs prlimit' }, async t => {
  const { stage, gateway } = await setStage(t, 'redis')
  const pid = gateway.child.pid!
  const inOne = async (kind: FaultKind, look: () => unknown): Promise<void> => { await during(stage, { kind, target: 0 }, look) }
  const descriptors = limitOf(pid, 'Max open files')
  await inOne('gateway.no-descriptors', () => { t.ok(Number(limitOf(pid, 'Max open files')) < 200) })
  t.equal(limitOf(pid, 'Max open files'), descriptors)
  await inOne('gateway.full-disk', () => { t.equal(limitOf(pid, 'Max file size'), '2000') })
  t.equal(limitOf(pid, 'Max file size'), 'unlimited')

  let n = 0
  const post = async (): Promise<string> => {
    const { status, json } = await gateway.post({ taskId: `t${n++}`, status: 1, type: 'x' })
    t.equal(status, 200)
    return String(json['status'])
  }
  for (const [kind, isThere] of [['gateway.clock-back', (ms: number) => ms < -15_000], ['gateway.clock-forward', (ms: number) => ms > 15_000]] as const) {
    const receivedAgo = async (fits: (ms: number) => boolean): Promise<true> => await until(async () => {
      await post()
      return fits(Date.parse(stage.received.at(-1)?.receivedAt ?? '') - Date.now()) || undefined
    })
    await inOne(kind, async () => await receivedAgo(isThere))
    await receivedAgo(ms => Math.abs(ms) < 5_000)
  }

  const before = stage.servers.redis!.process
  await inOne('redis.full-disk', async () => await until(async () => (await post() === 'spooled' && before.signalCode !== null) || undefined))
  t.equal(before.signalCode, 'SIGXFSZ')
  await until(async () => await post() === 'accepted' || undefined)
  const [everything] = stage.subscribers
  await everything!.waitUntil(received => new Set(idsOf(received)).size === n)
  t.strictSame(stage.noticed, [])
})
