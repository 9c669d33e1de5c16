/**
 * Who is disabled and who is removed is decided by the configuration that was
 * taken up last, and is true again whatever becomes of it in Redis; replicas
 * that run another one leave it alone.
 */
import t, { type Test } from '../support/tap.js'
import { createConfiguredHolds, type AlignResult, type ConfiguredHolds, type HoldChange, type HoldSource } from '../../src/record/configured-holds.js'
import { clearHold, readHolds, setHold } from '../../src/record/holds.js'
import type { RecordStore } from '../../src/record/store.js'
import { callsDuring } from './calls.js'
import { startRedis } from '../support/redis.js'
import { openGateway, policyFor, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis()
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, names = ['a', 'b']): Promise<Gateway> {
  return await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names) })
}

/** Nobody is gone because the machine stood still. */
const LONG_MS = 600_000

function replicaOf ({ blocking }: { blocking: RecordStore }, lifetimeMs = LONG_MS): ConfiguredHolds {
  return createConfiguredHolds(blocking, lifetimeMs)
}

function entry (name: string, enabled = true): HoldSource {
  return { name, enabled, url: 'http://one/' }
}

function sorted ({ changes }: AlignResult): HoldChange[] {
  return changes.sort((one, other) => one.subscriber.localeCompare(other.subscriber))
}

/** Who is held by what. */
async function held ({ blocking }: Gateway): Promise<Record<string, string | null>> {
  return Object.fromEntries([...await readHolds(blocking)].map(([name, hold]) => [name, hold?.by ?? null]))
}

t.test('configuration decides who is disabled and who is removed', async t => {
  const { blocking } = await open(t, [])
  const apply = async (...entries: Array<{ name: string, enabled: boolean }>): Promise<unknown[]> =>
    sorted(await replicaOf({ blocking }).takeUp(entries.map(entry => ({ ...entry, url: 'http://one/' }))))
  t.strictSame(await apply({ name: 'a', enabled: true }, { name: 'b', enabled: false }), [{ subscriber: 'b', hold: 'disabled', set: true }])
  t.strictSame(await readHolds(blocking), new Map([['a', null], ['b', { by: 'disabled', untilMs: null }]]))
  t.strictSame(await apply({ name: 'b', enabled: true }), [
    { subscriber: 'a', hold: 'removed', set: true }, { subscriber: 'b', hold: 'disabled', set: false }])
  t.strictSame(await apply({ name: 'a', enabled: true }, { name: 'b', enabled: true }), [{ subscriber: 'a', hold: 'removed', set: false }])
  t.strictSame(await apply({ name: 'a', enabled: true }, { name: 'b', enabled: true }), [])
})

t.test('configuration leaves an operator\'s pause alone', async t => {
  const { blocking } = await open(t)
  await setHold(blocking, 'a', 'pause')
  await replicaOf({ blocking }).takeUp([{ name: 'a', enabled: true, url: 'http://one/' }])
  t.equal((await readHolds(blocking)).get('a')?.by, 'pause')
})

t.test('a throttle ends when deliveries go to another address, and stays when they do not', async t => {
  const { blocking, keys } = await open(t, ['a'])
  const apply = async (url: string): Promise<unknown[]> => (await replicaOf({ blocking }).takeUp([{ name: 'a', enabled: true, url }])).changes
  await apply('http://one/')
  await setHold(blocking, 'a', 'throttle')
  t.strictSame(await apply('http://one/'), [])
  t.strictSame(await apply('http://user:secret@two/'), [{ subscriber: 'a', hold: 'throttle', set: false }])
  t.notMatch(JSON.stringify(await blocking.redis.hgetall(keys.subscriber('a'))), /secret|two/)
})

t.test('what of the holds was lost, or came back, is put right by the next round', async t => {
  const gateway = await open(t, [])
  const replica = replicaOf(gateway)
  const entries = [entry('on'), entry('off', false)]
  await gateway.blocking.redis.sadd(gateway.keys.subscribers, 'old')
  await replica.takeUp(entries)
  const right = { on: null, off: 'disabled', old: 'removed' }
  t.strictSame(await held(gateway), right)

  await clearHold(gateway.blocking, 'off', 'disabled')
  await clearHold(gateway.blocking, 'old', 'removed')
  await setHold(gateway.blocking, 'on', 'disabled')
  await setHold(gateway.blocking, 'on', 'removed')
  const aligned = await replica.keep(entries)
  t.equal(aligned!.changes.length, 4)
  t.strictSame(aligned!.removed, ['old'])
  t.strictSame(await held(gateway), right)
  t.strictSame((await replica.keep(entries))!.changes, [], 'and there is nothing to do in the next')
})

t.test('a Redis that has lost everything learns it again, and a full one too', async t => {
  const own = await startRedis(['--appendfsync', 'no'])
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor([]) })
  const replica = replicaOf(gateway)
  await replica.takeUp([entry('on'), entry('off', false)])
  await gateway.blocking.redis.flushall()
  await gateway.blocking.redis.config('SET', 'maxmemory', '1')
  await replica.keep([entry('on'), entry('off', false)])
  t.strictSame(await held(gateway), { on: null, off: 'disabled' })
})

t.test('of replicas that differ, the one that took its configuration up last decides, and nothing goes back and forth', async t => {
  const gateway = await open(t, [])
  const [one, other] = [replicaOf(gateway), replicaOf(gateway)]
  const [ofOne, ofOther] = [[entry('a'), entry('b')], [entry('a', false)]]
  await one.takeUp(ofOne)
  await other.takeUp(ofOther)
  for (let rounds = 0; rounds < 3; rounds++) {
    t.equal(await one.keep(ofOne), null, 'it leaves them alone')
    t.strictSame((await other.keep(ofOther))!.changes, [])
    t.strictSame(await held(gateway), { a: 'disabled', b: 'removed' })
  }
  await one.takeUp(ofOne)
  t.equal(await other.keep(ofOther), null, 'until it takes one up again')
  t.strictSame(await held(gateway), { a: null, b: null })
})

t.test('one that decides and dies is followed by another; when it is back it decides again', async t => {
  const gateway = await open(t, [])
  const [older, younger] = [replicaOf(gateway), replicaOf(gateway, 1)]
  const [ofOlder, ofYounger] = [[entry('a')], [entry('a', false)]]
  await older.takeUp(ofOlder)
  await younger.takeUp(ofYounger)
  await until('it is believed to be dead', async () => await older.keep(ofOlder) !== null)
  t.strictSame(await held(gateway), { a: null })
  t.ok(await younger.keep(ofYounger), 'it had only stood still')
  t.strictSame(await held(gateway), { a: 'disabled' })
})

t.test('a Redis that is older than the last configuration gets it from whoever took it up', async t => {
  const gateway = await open(t, [])
  const { keys, blocking: { redis } } = gateway
  const [one, other] = [replicaOf(gateway), replicaOf(gateway)]
  await one.takeUp([entry('a')])
  const before = await redis.hgetall(keys.holdsDecider)
  await other.takeUp([entry('a', false)])
  await redis.hset(keys.holdsDecider, before) // as it was restored
  await clearHold(gateway.blocking, 'a', 'disabled')
  await one.keep([entry('a')])
  await other.keep([entry('a', false)])
  t.equal(await one.keep([entry('a')]), null)
  t.strictSame(await held(gateway), { a: 'disabled' })
})

t.test('a clock of Redis that is set back lets a new configuration decide all the same', async t => {
  const gateway = await open(t, [])
  const { keys, blocking: { redis } } = gateway
  const [one, other] = [replicaOf(gateway), replicaOf(gateway)]
  const ahead = await redis.hincrby(keys.holdsDecider, 'at', 3_600_000) // taken up by a clock an hour ahead
  await one.takeUp([entry('a')])
  t.ok(Number(await redis.hget(keys.holdsDecider, 'at')) > ahead, 'whoever comes later is later')
  await other.takeUp([entry('a', false)])
  t.equal(await one.keep([entry('a')]), null)
  t.strictSame(await held(gateway), { a: 'disabled' })
})

t.test('a round with nothing to do costs one script, and a few reads for each subscriber', async t => {
  const own = await startRedis(['--appendfsync', 'no'])
  t.teardown(async () => { await own.close() })
  const gateway = await openGateway(t, own, { prefix: 'relay', policy: policyFor([]) })
  const entries = Array.from({ length: 100 }, (_, n) => entry(`s${n}`))
  const replica = replicaOf(gateway)
  await replica.takeUp(entries)
  const calls = await callsDuring(own.client(), async () => { await replica.keep(entries) })
  t.equal(calls.of('evalsha', 'eval'), 1)
  t.ok(calls.all < 3 * entries.length, `${calls.all} calls`)
})
