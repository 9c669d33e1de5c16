/** The faults of a chaos run are what their names say, and are over when they are ended. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { CONDUCTS } from '../../chaos/conduct.js'
import { SCRIPTS } from '../../chaos/faults.js'
import { SUBSCRIBERS, type Fault, type FaultKind, type ServersKind } from '../../chaos/plan.js'
import { openStage, type Stage } from '../../chaos/stage.js'
import { createOutbound } from '../../src/outbound/request.js'
import { makeCertificates } from '../support/certificates.js'
import { subscriberAt } from '../outbound/servers.js'
import type { GatewayProcess } from '../support/gateway.js'
import { mayLimit } from '../support/limits.js'
import { accept, seeEvent, until, untilState } from '../support/scene.js'
import { idsOf, startSubscriber } from '../support/subscriber.js'

/** What the gateway sees of each. */
const SEEN: Record<keyof typeof CONDUCTS, object> = {
  reset: { failure: 'connection', error: 'ECONNRESET' },
  hang: { failure: 'timeout' },
  error: { status: 500 },
  busy: { status: 429, retryAfter: '1' },
  garbage: { failure: 'connection', error: 'the answer is not HTTP/1.1' },
  short: { failure: 'connection', error: /before the answer was complete, after status 200$/ },
  drip: { failure: 'timeout' },
  late: { failure: 'timeout' },
  endless: { status: 200 },
  odd: { status: 204 },
  'hang-up': { status: 204 }
}

const { ca, server: pair } = makeCertificates()

for (const isSecure of [false, true]) {
  for (const [name, { does }] of Object.entries(CONDUCTS)) {
    t.test(`a subscriber is ${name}${isSecure ? ', over TLS' : ''}`, { timeout: 20_000 }, async t => {
      const server = await startSubscriber(does, isSecure ? pair : undefined)
      const outbound = createOutbound()
      t.teardown(async () => {
        outbound.close()
        await server.close()
      })
      const to = subscriberAt(server.url, { timeoutMs: 1_000, tls: isSecure ? { ca } : null })
      const seen = name === 'reset' && isSecure ? { failure: 'connection' } : SEEN[name as keyof typeof CONDUCTS]
      t.match(await outbound.request({ to, headers: {}, body: Buffer.from('{}') }), seen)
      t.equal(server.received.length, 1)
    })
  }
}

t.test('a subscriber that was away listens where it was', { timeout: 20_000 }, async t => {
  const server = await startSubscriber()
  t.teardown(server.close)
  await server.leave()
  await t.rejects(fetch(server.url, { method: 'POST' }))
  await server.comeBack()
  t.equal((await fetch(server.url, { method: 'POST' })).status, 204)
})

/** Begins a fault, looks, and ends it. */
async function during (stage: Stage, fault: Pick<Fault, 'kind' | 'target'>, look: () => unknown): Promise<void> {
  const end = await SCRIPTS[fault.kind](stage, fault.target)
  await look()
  await end()
}

async function setStage (t: Test, kind: ServersKind): Promise<{ stage: Stage, gateway: GatewayProcess }> {
  const stage = await openStage(kind)
  t.teardown(stage.close)
  return { stage, gateway: stage.gateways[0]!.process()! }
}

const IMAGES = SUBSCRIBERS.findIndex(({ isSecure }) => isSecure)
const LOST: ReadonlyArray<[kind: FaultKind, error: RegExp]> = [
  ['subscriber.expired', /CERT_HAS_EXPIRED/],
  ['subscriber.name-unknown', /ENOTFOUND/],
  ['subscriber.name-silent', /the name was not resolved|EAI_AGAIN/],
  ['subscriber.moved', /ECONNREFUSED/]
]
t.test('certificates expire and are renewed, names are not found and are again, or lead to where a subscriber was', { timeout: 90_000, skip: process.platform !== 'linux' && 'needs 127.0.0.2' }, async t => {
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

t.test('an error of its own ends a gateway, and it is started again', { timeout: 60_000 }, async t => {
  const { stage, gateway } = await setStage(t, 'redis')
  await during(stage, { kind: 'gateway.error', target: 0 }, () => { t.equal(gateway.child.exitCode, 1) })
  t.not(stage.gateways[0]!.process(), gateway)
  t.strictSame(stage.noticed, [])
})

/** Sends until it is answered so; each is another task. */
async function untilAnswered (gateway: GatewayProcess, as: 'accepted' | 'spooled'): Promise<void> {
  await until(async () => {
    const { status, json } = await gateway.post({ taskId: `t${performance.now()}`, status: 1, type: 'x' })
    return (status === 200 && json['status'] === as) || undefined
  })
}

for (const kind of ['sentinel.kill', 'sentinel.freeze', 'sentinel.switch', 'sentinel.replica-kill', 'sentinel.replica-freeze'] as const) {
  t.test(kind, { timeout: 120_000 }, async t => {
    const { stage, gateway } = await setStage(t, 'sentinel')
    const sentinel = stage.servers.sentinel!
    const before = await sentinel.primary()
    await during(stage, { kind, target: 0 }, async () => {
      if (kind.includes('replica')) await untilAnswered(gateway, 'spooled')
      else await sentinel.failedOver(before)
    })
    await untilAnswered(gateway, 'accepted')
    t.strictSame(stage.noticed, [])
  })
}

t.test('cluster', { timeout: 180_000 }, async t => {
  const { stage, gateway } = await setStage(t, 'cluster')
  const cluster = stage.servers.cluster!
  for (const kind of ['cluster.kill', 'cluster.freeze', 'cluster.slot-moves', 'cluster.replica-kill'] as const) {
    const before = await cluster.ownerOf('{relay}:events')
    await during(stage, { kind, target: 0 }, async () => {
      if (kind === 'cluster.slot-moves' || kind === 'cluster.replica-kill') await untilAnswered(gateway, 'spooled')
      else await until(async () => await cluster.ownerOf('{relay}:events') !== before || undefined)
    })
    if (kind === 'cluster.slot-moves') t.not(await cluster.ownerOf('{relay}:events'), before)
    await untilAnswered(gateway, 'accepted')
  }
  t.strictSame(stage.noticed, [])
})

/** Of a process: as the kernel prints it. */
function limitOf (pid: number, name: 'Max open files' | 'Max file size'): string {
  return new RegExp(`${name}\\s+(\\S+)`).exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))![1]!
}

t.test('disks fill and have room again, descriptors run out and are there again, clocks jump and are set right', { timeout: 90_000, skip: !mayLimit() && 'needs prlimit' }, async t => {
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
