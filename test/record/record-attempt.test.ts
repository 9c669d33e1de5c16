/**
 * What an attempt makes of its delivery, in the record: state, indexes,
 * counts, history.
 */
import t, { type Test } from '../support/tap.js'
import type { Delivery } from '../../src/model/delivery.js'
import type { AttemptResult, NextState } from '../../src/model/work.js'
import { discardDeliveries } from '../../src/record/discard.js'
import { readEvent } from '../../src/record/read-event.js'
import { readStats, readSubscribers } from '../../src/record/read-subscribers.js'
import { MAX_ATTEMPTS_KEPT, RECORD_ATTEMPTS, recordingOf } from '../../src/record/record-attempt.js'
import { runPackedScript } from '../../src/redis/script.js'
import { releaseEvent } from '../../src/replay/release.js'
import { startRedis } from '../support/redis.js'
import { accepted, attemptOf, openDelivery, openGateway, policyFor, recordAttempt, type Gateway } from '../support/relay.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

let prefixes = 0
async function open (t: Test, names = ['a'], dedupe = {}): Promise<{ gateway: Gateway, eventId: string }> {
  const gateway = await openGateway(t, server, { prefix: `p${++prefixes}`, policy: policyFor(names, dedupe) })
  return { gateway, eventId: await accepted(gateway, { taskId: 't1' }) }
}

async function deliveryOf (gateway: Gateway, eventId: string, subscriber = 'a'): Promise<Delivery> {
  return (await readEvent(gateway.store, eventId))!.deliveries.find(delivery => delivery.subscriber === subscriber)!
}

/** Which indexes name the event. */
async function indexesOf ({ keys, blocking: { redis } }: Gateway, eventId: string): Promise<string[]> {
  const all = { open: keys.open('a'), failed: keys.failed('a'), held: keys.held('a'), ended: keys.ended, endedFailed: keys.endedFailed }
  const found = await Promise.all(Object.entries(all).map(async ([name, key]) => await redis.zscore(key, eventId) === null ? [] : [name]))
  return found.flat()
}

const resultOf = (eventId: string, next: NextState, more: Partial<AttemptResult> = {}): AttemptResult => ({
  eventId, subscriber: 'a', generation: 1, attempt: attemptOf(), outcome: null, usesBudget: true, next, ...more
})

const HOUR = 3_600_000

const TABLE: ReadonlyArray<[says: string, next: NextState, becomes: Partial<Delivery>, indexes: string[]]> = [
  ['delivered ends it', { state: 'delivered' }, { state: 'delivered', nextAttemptAt: null }, ['ended']],
  ['retrying keeps it open', { state: 'retrying', waitMs: HOUR }, { state: 'retrying', deliveredAt: null }, ['open']],
  ['exhausted fails it', { state: 'failed', reason: 'exhausted' }, { state: 'failed', nextAttemptAt: null }, ['failed', 'endedFailed']],
  ['gone fails it', { state: 'failed', reason: 'gone' }, { state: 'failed', nextAttemptAt: null }, ['failed', 'endedFailed']],
  ['unchanged leaves it open', { state: 'unchanged' }, { state: 'queued' }, ['open']]
]
for (const [says, next, becomes, indexes] of TABLE) {
  t.test(says, async t => {
    const { gateway, eventId } = await open(t)
    const attempt = attemptOf({ statusCode: 503, error: 'a "quoted" \n reason', latencyMs: 12.5, responseExcerpt: 'é"t":1,\n' })
    await recordAttempt(gateway.blocking, resultOf(eventId, next, { attempt }))
    t.match(await deliveryOf(gateway, eventId), { ...becomes, attempts: 1, budgetUsed: 1, lastStatusCode: 503, lastError: attempt.error })
    t.strictSame(await indexesOf(gateway, eventId), indexes)
    t.strictSame((await readEvent(gateway.store, eventId))!.attempts.get('a'), [attempt])
  })
}

t.test('an attempt that was cut off uses no budget', async t => {
  const { gateway, eventId } = await open(t)
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'unchanged' }, { usesBudget: false }))
  t.match(await deliveryOf(gateway, eventId), { state: 'queued', attempts: 1, budgetUsed: 0 })
})

t.test('a delivery is ended for the event only when its last is', async t => {
  const { gateway, eventId } = await open(t, ['a', 'b'])
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'failed', reason: 'exhausted' }))
  t.strictSame(await indexesOf(gateway, eventId), ['failed'])
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'delivered' }, { subscriber: 'b' }))
  t.strictSame(await indexesOf(gateway, eventId), ['failed', 'endedFailed'])
  await discardDeliveries(gateway.blocking, [{ eventId, subscriber: 'a' }])
  t.strictSame(await indexesOf(gateway, eventId), ['ended'])
})

t.test('the same attempt recorded twice is one attempt', async t => {
  const { gateway, eventId } = await open(t)
  const first = resultOf(eventId, { state: 'retrying', waitMs: HOUR })
  const second = resultOf(eventId, { state: 'delivered' })
  for (const result of [first, first, second, second, first]) await recordAttempt(gateway.blocking, result)
  t.match(await deliveryOf(gateway, eventId), { state: 'delivered', attempts: 2, budgetUsed: 2 })
  t.equal((await readStats(gateway.store)).delivered, 1)
  t.match((await readSubscribers(gateway.store))[0], { counts: { delivered: 1, open: 0 } })
})

t.test('an attempt for a generation that is over is told and changes nothing', async t => {
  const { gateway, eventId } = await open(t, ['a'], { onConflict: 'hold' })
  const held = await accepted(gateway, { taskId: 't1', url: 'other' })
  await releaseEvent(gateway.blocking, gateway.queues, held)
  const before = await deliveryOf(gateway, held)
  t.match(before, { state: 'queued', generation: 2 })
  await recordAttempt(gateway.blocking, resultOf(held, { state: 'delivered' }, { generation: 1 }))
  t.strictSame(await deliveryOf(gateway, held), { ...before, attempts: 1 })
  t.strictSame(await indexesOf(gateway, held), ['open'])
  t.equal((await readStats(gateway.store)).delivered, 0)

  await discardDeliveries(gateway.blocking, [{ eventId, subscriber: 'a' }])
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'retrying', waitMs: HOUR }))
  t.match(await deliveryOf(gateway, eventId), { state: 'discarded', attempts: 1 }, 'nor does one for a delivery that was given up')
})

/** Records an attempt; tells how many bytes of JSON Redis took apart for it. */
async function decodedBytes ({ blocking: { redis, keys } }: Gateway, result: AttemptResult): Promise<number> {
  const script = {
    name: 'test-decoded-bytes',
    lua: `local real, decoded = cjson, 0
      local cjson = { encode = real.encode, decode = function(text) decoded = decoded + #text; return real.decode(text) end }
      local function record_attempts(KEYS, ARGV, redis)
        ${RECORD_ATTEMPTS.lua}
      end
      record_attempts({}, { cmsgpack.unpack(ARGV[1]) }, redis)
      return { cmsgpack.pack(decoded) }`
  }
  const { output } = await runPackedScript(redis, script, { key: keys.events, input: recordingOf(keys.prefix, [result], () => null) })
  return output as number
}

t.test('fifty attempts are kept, and their numbers go on', async t => {
  const { gateway, eventId } = await open(t)
  const responseExcerpt = 'x'.repeat(1_024)
  const record = async (): Promise<number> =>
    await decodedBytes(gateway, resultOf(eventId, { state: 'retrying', waitMs: HOUR }, { attempt: attemptOf({ responseExcerpt }) }))
  const first = await record()
  for (let n = 2; n <= MAX_ATTEMPTS_KEPT + 7; n++) await record()
  const late = await record()
  t.ok(late < first + 1_024, `what went before is not read again: ${first} bytes at first, ${late} with a long history`)
  const attempts = (await readEvent(gateway.store, eventId))!.attempts.get('a')!
  t.strictSame(attempts.map(({ number }) => number), Array.from({ length: MAX_ATTEMPTS_KEPT }, (_, n) => n + 9))
  t.equal((await deliveryOf(gateway, eventId)).attempts, MAX_ATTEMPTS_KEPT + 8)
})

t.test('gone puts the subscriber on hold in the same step, and nobody else', async t => {
  const { gateway, eventId } = await open(t, ['a', 'b'])
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'failed', reason: 'gone' }))
  t.strictSame((await readSubscribers(gateway.store)).map(({ name, holds }) => [name, holds]), [['a', ['gone']], ['b', []]])
})

t.test('an attempt for an event that is no more is no error', async t => {
  const { gateway } = await open(t)
  const id = 'evt_' + '0'.repeat(26)
  await recordAttempt(gateway.blocking, resultOf(id, { state: 'delivered' }))
  t.equal(await readEvent(gateway.store, id), null)
  t.equal(await gateway.blocking.redis.exists(gateway.keys.event(id)), 0)
})

t.test('a job finds its delivery open, not due yet, or that it is for nothing', async t => {
  const { gateway, eventId } = await open(t)
  const ref = { subscriber: 'a', eventId, generation: 1 }
  t.match(await openDelivery(gateway.blocking, ref), { event: { taskId: 't1' }, delivery: { state: 'queued' } })
  t.equal(await openDelivery(gateway.blocking, { ...ref, generation: 2 }), null)
  t.equal(await openDelivery(gateway.blocking, { ...ref, subscriber: 'b' }), null)
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'retrying', waitMs: HOUR }))
  t.equal(await openDelivery(gateway.blocking, ref), (await deliveryOf(gateway, eventId)).nextAttemptAt)
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'delivered' }))
  t.equal(await openDelivery(gateway.blocking, ref), null)
})

t.test('the next attempt is planned by Redis\'s clock', async t => {
  const { gateway, eventId } = await open(t)
  const now = async (): Promise<number> => { const [s, us] = await gateway.blocking.redis.time(); return Number(s) * 1_000 + Math.floor(Number(us) / 1_000) }
  const before = await now()
  await recordAttempt(gateway.blocking, resultOf(eventId, { state: 'retrying', waitMs: HOUR }))
  const { nextAttemptAt } = await deliveryOf(gateway, eventId)
  t.ok(nextAttemptAt! >= before + HOUR && nextAttemptAt! <= await now() + HOUR)
})
