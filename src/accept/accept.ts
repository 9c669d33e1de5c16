/**
 * Step 2 of the journey: an arrival becomes durable, or is found to be a
 * duplicate.
 *
 *   ingest ──▶ accept ──▶ record + queue, in one atomic step
 *
 * The record is the truth, the queue is derived: one script claims, numbers,
 * flags and writes the event with its open deliveries, and adds one job per
 * delivery. Arrivals that come at about the same time share a call, and each
 * is decided separately. Never answers "accepted" for a write that Redis has
 * not confirmed.
 */
import { loadScript, runPackedScript } from '../redis/script.js'
import { createBatcher } from '../redis/batcher.js'
import type { DedupePolicy } from '../model/dedupe.js'
import type { Flag } from '../model/event.js'
import type { Report } from '../model/fact.js'
import { createMatcher, type Matcher } from '../model/matcher.js'
import { sortableId } from '../model/sortable-id.js'
import type { Subscriber } from '../model/subscriber.js'
import { addingJobs } from '../queue/bullmq/job-scripts.js'
import type { Queues } from '../queue/bullmq/queues.js'
import { plainFieldsOf } from '../record/fields.js'
import type { RecordStore } from '../record/store.js'
import type { ConfirmWrite } from '../redis/confirm.js'
import type { Keys } from '../redis/keys.js'
import type { Accept, Acceptance, Arrival } from './arrival.js'
import { readIdentity, type Identity } from './identity.js'

const ACCEPT = addingJobs(loadScript(new URL('./accept.lua', import.meta.url)))

/** Calls in flight: Redis works on one while the next is prepared. */
const CALLS_AT_ONCE = 2
/** Maximum arrivals per call: a few milliseconds of Redis's time. */
const MOST_ARRIVALS = 32
/** Maximum size of their bodies together; a single body may be larger. */
const MOST_BODY_BYTES = 1024 * 1024

export interface AcceptOptions {
  /** On a connection that fails fast: an arrival must not wait for a dead Redis. */
  store: RecordStore
  queues: Queues
  /** Read for every arrival. */
  policy: () => { dedupe: DedupePolicy, subscribers: readonly Subscriber[] }
  report: Report
  /** Waits until a write is safe; absent: the confirmation of the server is enough. */
  confirmed?: ConfirmWrite
}

/** An arrival that has been read, with everything that its decision needs. */
interface Fresh {
  arrival: Arrival
  identity: Identity
  eventId: string
  /** Names of the subscribers that it matches. */
  subscribers: string[]
}

/** The decision of the script on one arrival, see accept.lua. */
type Decision = ['duplicate', string] | ['accepted', string, number, string, string] | ['failed', string]

/**
 * Makes the function that accepts.
 *
 * @returns an {@link Accept}; it never rejects: an error becomes `unavailable`
 */
export function createAccept (options: AcceptOptions): Accept {
  const { confirmed = async write => await write() } = options
  const decide = createBatcher<Fresh, Decision>({
    send: async arrivals => await confirmed(async () => await decideTogether(options, arrivals)),
    atOnce: CALLS_AT_ONCE,
    most: MOST_ARRIVALS,
    weigh: ({ arrival }) => arrival.body.length,
    heaviest: MOST_BODY_BYTES
  })

  const matcherOf = rememberingMatcher()

  return async arrival => {
    const started = performance.now()
    const { dedupe, subscribers } = options.policy()
    const look = matcherOf(subscribers).begin()
    const reading = readIdentity(arrival.body, dedupe.ignoreFields, look)
    if (reading.kind === 'unreadable') return reading
    const { identity } = reading
    const fresh = {
      arrival,
      identity,
      eventId: 'evt_' + sortableId(arrival.receivedAt),
      subscribers: matching(subscribers, arrival, look.wantedBy(identity))
    }
    try {
      return acceptanceOf(options, { fresh, started }, await decide(fresh))
    } catch (error) {
      return unavailable(options, error instanceof Error ? error.message : String(error))
    }
  }
}

/** Returns the matcher of these subscribers; makes a new one when a match has changed. */
function rememberingMatcher (): (subscribers: readonly Subscriber[]) => Matcher {
  let of: Array<Subscriber['match']> = []
  let matcher = createMatcher(of)
  return subscribers => {
    if (subscribers.length !== of.length || subscribers.some(({ match }, at) => match !== of[at])) {
      of = subscribers.map(({ match }) => match)
      matcher = createMatcher(of)
    }
    return matcher
  }
}

function matching (subscribers: readonly Subscriber[], { only }: Arrival, wantedBy: readonly number[]): string[] {
  const names = wantedBy.map(at => subscribers[at]!.name)
  return only === undefined ? names : names.filter(name => name === only)
}

async function decideTogether ({ store: { redis, keys }, queues, policy }: AcceptOptions, arrivals: Fresh[]): Promise<Decision[]> {
  const { windowMs, onConflict, onLate } = policy().dedupe
  const { output } = await runPackedScript(redis, ACCEPT, {
    key: keys.events,
    input: {
      prefix: `{${keys.prefix}}:`,
      window: windowMs,
      onConflict,
      onLate,
      templates: queues.templatesOf(new Set(arrivals.flatMap(({ subscribers }) => subscribers))),
      arrivals: arrivals.map(fresh => inputOf(keys, fresh))
    },
    blobs: arrivals.map(({ arrival }) => arrival.body)
  })
  return output as Decision[]
}

function inputOf (keys: Keys, { arrival, identity, eventId, subscribers }: Fresh): object {
  return {
    id: eventId,
    task: taskKeyOf(keys, arrival, identity),
    status: String(identity.status),
    digest: identity.digest,
    fields: plainFieldsOf({
      taskId: identity.taskId,
      type: identity.type,
      businessId: identity.businessId,
      receivedAt: arrival.receivedAt,
      size: arrival.body.length,
      contentType: arrival.contentType
    }),
    flags: arrival.flags,
    age: Math.max(0, Date.now() - arrival.receivedAt),
    subscribers
  }
}

function acceptanceOf (options: AcceptOptions, { fresh, started }: { fresh: Fresh, started: number }, decision: Decision): Acceptance {
  const { report } = options
  const { taskId, status, type } = fresh.identity
  if (decision[0] === 'failed') return unavailable(options, decision[1])
  const [kind, eventId] = decision
  if (kind === 'duplicate') {
    report({ fact: 'event.duplicate', eventId, taskId, status })
    return { kind, eventId }
  }
  const [, , revision, flags, subscribers] = decision
  report({
    fact: 'event.accepted',
    eventId,
    taskId,
    status,
    type,
    revision,
    flags: listed(flags) as Flag[],
    subscribers: listed(subscribers),
    latencyMs: performance.now() - started
  })
  return { kind, eventId }
}

function unavailable ({ report }: AcceptOptions, reason: string): Acceptance {
  report({ fact: 'accept.unavailable', reason })
  return { kind: 'unavailable', reason }
}

function listed (names: string): string[] {
  return names === '' ? [] : names.split(',')
}

/** A test event of an operator is a separate task: the real callback that follows is neither a duplicate nor late. */
function taskKeyOf (keys: Keys, { flags }: Arrival, { taskId }: Identity): string {
  return flags.includes('test') ? keys.testTask(taskId) : keys.task(taskId)
}
