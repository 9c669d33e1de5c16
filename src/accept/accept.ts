/**
 * Step 2 of the journey: an arrival becomes durable, or is found to be a
 * repeat.
 *
 *   ingest ──▶ accept ──▶ record + queue, in one atomic step
 *
 * The record is the truth, the queue is derived: one script claims, numbers,
 * flags and writes the event with its open deliveries, and in the same MULTI
 * one job is added per matching subscriber. Only a reply that is entirely good
 * counts as durable. Never answers "accepted" for anything else.
 */
import { loadScript, runScript } from '../redis/script.js'
import type { DedupePolicy } from '../model/dedupe.js'
import type { Flag } from '../model/event.js'
import type { Report } from '../model/fact.js'
import { matches } from '../model/match.js'
import { sortableId } from '../model/sortable-id.js'
import type { Subscriber } from '../model/subscriber.js'
import type { Queues } from '../queue/queues.js'
import { plainFieldsOf } from '../record/fields.js'
import type { RecordStore } from '../record/store.js'
import type { Keys } from '../redis/keys.js'
import type { Accept, Acceptance, Arrival } from './arrival.js'
import { readIdentity, type Identity } from './identity.js'

const ACCEPT = loadScript(new URL('./accept.lua', import.meta.url))
const REPEAT = loadScript(new URL('./repeat.lua', import.meta.url))

export interface AcceptOptions {
  /** On a connection that fails fast: an arrival must not wait for a dead Redis. */
  store: RecordStore
  queues: Queues
  /** Read at every arrival. */
  policy: () => { dedupe: DedupePolicy, subscribers: readonly Subscriber[] }
  report: Report
}

/**
 * Makes the function that accepts.
 *
 * @returns an {@link Accept}; it never rejects: what goes wrong is `unavailable`
 */
export function createAccept (options: AcceptOptions): Accept {
  const inFlight = new Map<string, Promise<Acceptance>>()

  /**
   * The same callback twice at once: the second looks again when the first is
   * through, and waits for Redis no second time when it was of no avail.
   */
  async function oneAtATime (fresh: Fresh): Promise<Acceptance> {
    const { taskId, status, digest } = fresh.identity
    const claim = `${fresh.arrival.flags.includes('test') ? 'test ' : ''}${status} ${digest} ${taskId}`
    const before = inFlight.get(claim)
    if (before !== undefined) {
      const ended = await before
      if (ended.kind === 'unavailable') return ended
    }
    const acceptance = acceptOne(options, fresh)
    inFlight.set(claim, acceptance)
    try {
      return await acceptance
    } finally {
      if (inFlight.get(claim) === acceptance) inFlight.delete(claim)
    }
  }

  return async arrival => {
    const started = performance.now()
    const reading = readIdentity(arrival.body, options.policy().dedupe.ignoreFields)
    if (reading.kind === 'unreadable') return reading
    return await oneAtATime({ arrival, identity: reading.identity, started })
  }
}

async function acceptOne (options: AcceptOptions, fresh: Fresh): Promise<Acceptance> {
  try {
    const first = await findRepeat(options, fresh)
    return first === null ? await acceptNew(options, fresh) : duplicate(options, fresh.identity, first)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    options.report({ fact: 'accept.unavailable', reason })
    return { kind: 'unavailable', reason }
  }
}

/** The plain read before the atomic step: most repeats end here. */
async function findRepeat ({ store, policy }: AcceptOptions, { arrival, identity }: Fresh): Promise<string | null> {
  const { redis, keys } = store
  const found = await runScript(redis, REPEAT, {
    keys: [taskKeyOf(keys, arrival, identity), keys.stats],
    args: [`{${keys.prefix}}:`, identity.digest, identity.status, policy().dedupe.windowMs]
  })
  return typeof found === 'string' ? found : null
}

interface Fresh { arrival: Arrival, identity: Identity, started: number }

async function acceptNew (options: AcceptOptions, fresh: Fresh): Promise<Acceptance> {
  const { identity } = fresh
  const { queues, policy } = options
  const eventId = 'evt_' + sortableId(fresh.arrival.receivedAt)
  const { only } = fresh.arrival
  const subscribers = policy().subscribers
    .filter(({ name, match }) => (only === undefined || name === only) && matches(match, identity))
    .map(({ name }) => name)
  const transaction = await queues.begin()
  transaction.run(ACCEPT, ...acceptArguments(options, fresh, { eventId, subscribers }))
  for (const subscriber of subscribers) transaction.addJob(subscriber, eventId, 1)
  const [reply] = await transaction.commit()

  const [kind, id, revision = 1, written = ''] = reply as [string, string, number?, string?]
  if (kind === 'duplicate') return duplicate(options, identity, id)
  const flags = written === '' ? [] : written.split(',') as Flag[]
  options.report({
    fact: 'event.accepted',
    eventId,
    taskId: identity.taskId,
    status: identity.status,
    type: identity.type,
    revision,
    flags,
    subscribers: flags.includes('late') && policy().dedupe.onLate === 'keep' ? [] : subscribers,
    latencyMs: performance.now() - fresh.started
  })
  return { kind: 'accepted', eventId }
}

function acceptArguments (
  { store: { keys }, policy }: AcceptOptions,
  { arrival, identity }: Fresh,
  { eventId, subscribers }: { eventId: string, subscribers: string[] }
): [keys: string[], args: Array<string | number | Buffer>] {
  const { dedupe } = policy()
  const plain = plainFieldsOf({
    taskId: identity.taskId,
    type: identity.type,
    businessId: identity.businessId,
    receivedAt: arrival.receivedAt,
    size: arrival.body.length,
    contentType: arrival.contentType
  })
  return [
    [taskKeyOf(keys, arrival, identity), keys.event(eventId), keys.body(eventId), keys.events, keys.sequence, keys.stats],
    [`{${keys.prefix}}:`, eventId, identity.digest, identity.status, plain, arrival.body,
      dedupe.windowMs, dedupe.onConflict, dedupe.onLate, arrival.flags.join(','), ...subscribers]
  ]
}

function duplicate ({ report }: AcceptOptions, { taskId, status }: Identity, eventId: string): Acceptance {
  report({ fact: 'event.duplicate', eventId, taskId, status })
  return { kind: 'duplicate', eventId }
}

/** What an operator makes up is a task of its own: the real callback that comes after it is no repeat, and not late. */
function taskKeyOf (keys: Keys, { flags }: Arrival, { taskId }: Identity): string {
  return flags.includes('test') ? keys.testTask(taskId) : keys.task(taskId)
}
