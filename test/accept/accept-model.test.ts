/**
 * Accepting against a simple model of it: random arrivals, one by one and many
 * at once, at two gateways, while subscribers come, go and change their minds.
 *
 * Redis decides the order of what happens at once; the record's sequence tells
 * it. The model walks the events in that order and says what each must be. Some
 * arrivals have waited, as those in the spool do: they came before others that
 * are in the record already.
 */
import fc from 'fast-check'
import t from '../support/tap.js'
import type { Acceptance } from '../../src/accept/arrival.js'
import type { DedupePolicy } from '../../src/model/dedupe.js'
import { isFinal, type Flag } from '../../src/model/event.js'
import type { SelectedEvent } from '../../src/record/select.js'
import { startRedis } from '../support/redis.js'
import {
  allEvents, callback, hasJob, openGateway, policyFor, recordingDeliver, subscriberNamed, type Gateway, type Policy
} from '../support/relay.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
t.teardown(async () => { await server.close() })

interface Fields { taskId: string, status: number, type: string, url: string }

/** @param ageMs  how long it has waited */
interface Sent { fields: Fields, gateway: 0 | 1, ageMs: number }

interface Match { types: readonly string[], statuses: readonly number[], businessIds: readonly never[], fields?: { url: readonly string[] } }

type Step =
  | { kind: 'arrivals', arrivals: Sent[], atOnce: boolean }
  | { kind: 'subscribers', matches: Record<string, Match> }

const fields = fc.record({
  taskId: fc.constantFrom('t1', 'meta', 'a:b'),
  status: fc.constantFrom(-1, 0, 1, 2),
  type: fc.constantFrom('avatar', 'imageUpscaler'),
  url: fc.constantFrom('one', 'two')
})
const match = fc.record({
  types: fc.constantFrom([], ['avatar'], ['image*']),
  statuses: fc.constantFrom([], [1, 2], [0]),
  businessIds: fc.constant([]),
  fields: fc.record({ url: fc.constantFrom([], ['one'], ['t*', 'none']) })
})
const sent: fc.Arbitrary<Sent> = fc.record({ fields, gateway: fc.constantFrom(0, 1), ageMs: fc.constantFrom(0, 0, 60_000, 3_600_000) })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('arrivals' as const), arrivals: fc.array(sent, { minLength: 1, maxLength: 10 }), atOnce: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('subscribers' as const), matches: fc.dictionary(fc.constantFrom('a', 'b', 'c'), match, { noNullPrototype: true }) }) }
)

/** Who wants what, as the specification says it. */
function wants (match: Match, { type, status, url }: Fields): boolean {
  const fits = (pattern: string, value: string): boolean => pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern
  const anyOf = <T>(list: readonly T[], test: (entry: T) => boolean): boolean => list.length === 0 || list.some(test)
  return anyOf(match.types, pattern => fits(pattern, type)) && anyOf(match.statuses, wanted => wanted === status) &&
    anyOf(match.fields?.url ?? [], pattern => fits(pattern, url))
}

/** Content, task and status: what makes a callback the same. */
const claimOf = ({ taskId, status, type, url }: Fields): string => JSON.stringify([taskId, status, type, url])

/** What the senders saw: per claim its arrivals, its event, and who was to have it. */
interface Seen { arrivals: number, eventId: string | null, fields: Fields, wanted: string[] }

class Senders {
  readonly seen = new Map<string, Seen>()

  note (sent: Fields, acceptance: Acceptance, policy: Policy): void {
    const claim = claimOf(sent)
    const seen = this.seen.get(claim) ?? { arrivals: 0, eventId: null, fields: sent, wanted: [] }
    this.seen.set(claim, seen)
    if (acceptance.kind !== 'accepted' && acceptance.kind !== 'duplicate') throw new Error(JSON.stringify(acceptance))
    seen.arrivals += 1
    if (seen.eventId !== null && seen.eventId !== acceptance.eventId) throw new Error(`${claim} is two events`)
    seen.eventId = acceptance.eventId
    if (acceptance.kind === 'accepted') {
      seen.wanted = policy.subscribers
        .filter(({ match }) => wants(match as Match, sent)).map(({ name }) => name)
    }
  }
}

interface Expected { eventId: string, revision: number, flags: Flag[], duplicates: number, deliveries: Array<[string, string]> }

/** What the events must be, oldest first, given their order and when they arrived. */
function expectedOf (senders: Senders, order: ReadonlyArray<{ id: string, receivedAt: number }>, dedupe: DedupePolicy): Expected[] {
  const byId = new Map([...senders.seen.values()].map(seen => [seen.eventId, seen]))
  const revisions = new Map<string, number>()
  /** When the first of each final status arrived, by task. */
  const finals = new Map<string, Map<number, number>>()
  return order.map(({ id: eventId, receivedAt }) => {
    const seen = byId.get(eventId)
    if (seen === undefined) throw new Error(`${eventId} was told to nobody`)
    const { taskId, status } = seen.fields
    const revision = (revisions.get(`${status} ${taskId}`) ?? 0) + 1
    revisions.set(`${status} ${taskId}`, revision)
    const before = finals.get(taskId) ?? new Map<number, number>()
    finals.set(taskId, before)
    const late = status === 0 && [...before.values()].some(at => at <= receivedAt)
    const conflict = isFinal(status) && [...before.keys()].some(other => other !== status)
    if (isFinal(status)) before.set(status, Math.min(receivedAt, before.get(status) ?? Infinity))
    const held = revision > 1 && dedupe.onConflict === 'hold'
    const owed = late && dedupe.onLate === 'keep' ? [] : seen.wanted
    return {
      eventId,
      revision,
      flags: [...late ? ['late' as const] : [], ...conflict ? ['conflict' as const] : []],
      duplicates: seen.arrivals - 1,
      deliveries: owed.map(name => [name, held ? 'held' : 'queued'])
    }
  })
}

function actualOf (rows: readonly SelectedEvent[]): Expected[] {
  return rows.map(({ event, deliveries }) => ({
    eventId: event.id,
    revision: event.revision,
    flags: event.flags,
    duplicates: event.duplicates,
    deliveries: deliveries.map(({ subscriber, state }) => [subscriber, state])
  }))
}

async function carryOut (steps: readonly Step[], gateways: readonly Gateway[], policy: Policy): Promise<Senders> {
  const senders = new Senders()
  for (const step of steps) {
    if (step.kind === 'subscribers') {
      policy.subscribers = Object.entries(step.matches).map(([name, match]) => subscriberNamed(name, { match }))
      continue
    }
    const send = async ({ fields, gateway, ageMs }: Sent): Promise<void> => {
      senders.note(fields, await gateways[gateway]!.accept(callback({ ...fields }, { receivedAt: Date.now() - ageMs })), policy)
    }
    if (step.atOnce) await Promise.all(step.arrivals.map(send))
    else for (const arrival of step.arrivals) await send(arrival)
  }
  return senders
}

let runs = 0

t.test('whatever arrives, however it interleaves: the record is what the model says', async t => {
  const ends: Array<() => unknown> = []
  t.teardown(async () => { for (const end of ends.reverse()) await end() })
  const later = { teardown: (end: () => unknown) => ends.push(end) }
  const policies = fc.record({ onConflict: fc.constantFrom('forward', 'hold'), onLate: fc.constantFrom('keep', 'forward') })

  await fc.assert(fc.asyncProperty(policies, fc.array(step, { minLength: 1, maxLength: 8 }), async (dedupe, steps) => {
    const prefix = `model${++runs}`
    const policy = policyFor(['a', 'b'], dedupe)
    const gateways = [await openGateway(later, server, { prefix, policy }), await openGateway(later, server, { prefix, policy })]
    const senders = await carryOut(steps, gateways, policy)
    const rows = (await allEvents(gateways[0]!)).reverse()
    t.strictSame(actualOf(rows), expectedOf(senders, rows.map(({ event }) => event), policy.dedupe))
    t.equal(rows.length, senders.seen.size)
    for (const { event, deliveries } of rows) {
      for (const { subscriber, state } of deliveries) {
        if (state === 'queued' && !await hasJob(gateways[0]!, subscriber, event.id)) t.fail(`no job: ${event.id} ${subscriber}`)
      }
    }
    if (!t.passing()) throw new Error('not what the model says')
  }), { numRuns: 40, endOnFailure: true })
})

t.test('what the model says is also what is delivered, once each', async t => {
  const policy = policyFor(['a', 'b', 'c'])
  const gateways = [
    await openGateway(t, server, { prefix: 'delivered', policy }), await openGateway(t, server, { prefix: 'delivered', policy })
  ]
  const works = gateways.map(() => recordingDeliver())
  await Promise.all(gateways.map(async (gateway, n) => await gateway.work(works[n]!.deliver)))
  const steps = fc.sample(step, { numRuns: 30, seed: 7 }).filter(({ kind }) => kind === 'arrivals')
  await carryOut(steps, gateways, policy)
  await until('nothing is open', async () => (await allEvents(gateways[0]!, { states: ['queued', 'retrying', 'held'] })).length === 0)
  const sent = works.flatMap(({ sent }) => sent.map(({ subscriber, event }) => `${event.id} ${subscriber}`)).sort()
  const owed = (await allEvents(gateways[0]!)).flatMap(({ deliveries }) => deliveries.map(({ eventId, subscriber }) => `${eventId} ${subscriber}`)).sort()
  t.ok(owed.length > 20)
  t.strictSame(sent, owed)
})
