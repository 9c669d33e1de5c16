/**
 * Holds what was sent, acknowledged and received against each other, and
 * against what the gateway says of it. Knows nothing of how the gateway works.
 */
import { GIVES_UP, SUBSCRIBERS, type FaultKind, type Notification, type SubscriberName } from './plan.js'

/** What the sender knows of one notification. */
export interface Sent extends Pick<Notification, 'n' | 'taskId' | 'status' | 'type' | 'bodies'> {
  /** Epoch milliseconds. */
  firstSentAt: number
  /** When it was first answered 200, epoch milliseconds; `null` when it never was. */
  acknowledgedAt: number | null
  /** What it was told: `accepted`, `duplicate`, `spooled`, an HTTP status, or `none` when there was no answer. */
  answers: string[]
  /** Every event id that an answer named. */
  eventIds: string[]
}

/** One request that a subscriber has read to its end. */
export interface Received {
  subscriber: SubscriberName
  eventId: string
  /** `relay-replay` and `relay-attempt`: of one event, no two attempts have the same unless the first is on no record. */
  attempt: string
  /** From the body; `null` when it stands not there. */
  n: number | null
  body: string
  /** `relay-received-at`. */
  receivedAt: string
  /** `relay-revision`. */
  revision: number
  /** Epoch milliseconds. */
  at: number
  /** When a whole answer had gone out, of any status, epoch milliseconds; `null` when none had. */
  answeredAt: number | null
  /** It was answered 2xx. */
  isTaken: boolean
  isReplay: boolean
}

/** An event as the admin API lists it. */
export interface Recorded {
  id: string
  taskId: string
  status: number
  revision: number
  deliveries: Array<{ subscriber: string, state: string }>
}

export interface Evidence {
  sent: Sent[]
  received: Received[]
  recorded: Recorded[]
  /** The faults as they came, epoch milliseconds. */
  spells: Array<{ kind: FaultKind, from: number, to: number }>
  /** What the gateway says it has deleted because Redis was full: finished events, and of these the ones with a failed delivery. */
  deletedEarly: { events: number, failed: number }
  /** A failover may forget an event that nobody was told of, and that was delivered all the same: its notification comes again, as another. */
  mayForget: boolean
  /** What the stage noticed that must not happen, in sentences. */
  noticed: string[]
}

export interface Verdict {
  /** Promises that were broken, one sentence each. */
  broken: string[]
  counts: {
    notifications: number
    acknowledged: number
    spooled: number
    duplicates: number
    events: number
    deliveries: number
    /** Taken more than once by the same subscriber, other than by a replay: allowed. */
    twice: number
    /** Attempts that were made again although they had been answered, while something befell who had the answer or where it goes on record: allowed. */
    again: number
    /** Of one task, and older than one that the subscriber already had: allowed. */
    overtaken: number
    /** Deleted because Redis was full: allowed for what was finished. */
    deletedEarly: number
    /** Events that a failover forgot, of which no sender had been told: allowed, their notifications came as others. */
    forgotten: number
  }
}

/** What a sender may be told. No answer at all is a killed or frozen process. */
const ALLOWED_ANSWERS = ['accepted', 'duplicate', 'spooled', '503', 'none']

/**
 * When what was answered may be asked for again: who has the answer is killed
 * or frozen before it is on record; no lock can be prolonged, so that another
 * process takes the job over; or a failover forgets what was on record.
 */
const MAY_ASK_AGAIN = /^(gateway\.(kill|error|freeze)|redis\.(kill|freeze|full-disk|read-only)|sentinel\..*|cluster\..*)$/
/** Then an answer that has gone out may have been cut off on its way. */
const CUTS_OFF = /^subscriber\.(away|moved|expired|name-unknown|name-silent)$/

/** Judges a run that is over. */
export function judge (evidence: Evidence): Verdict {
  const { sent, received, recorded, noticed, deletedEarly } = evidence
  const taken = received.filter(({ isTaken }) => isTaken)
  const forgotten = forgottenOf(evidence)
  const remembered = received.filter(({ eventId }) => !forgotten.has(eventId))
  const again = askedAgain(evidence)
  return {
    broken: [
      ...noticed,
      ...wrongAnswers(sent),
      ...lost(evidence, taken),
      ...doubled(sent, remembered),
      ...again.flatMap(({ says, isAllowed }) => isAllowed ? [] : [says]),
      ...changedBytes(sent, received),
      ...unfinished(recorded),
      ...wrongRevisions({ ...evidence, received: remembered }),
      ...unaccounted({ ...evidence, received: remembered })
    ],
    counts: {
      notifications: sent.length,
      acknowledged: sent.filter(({ acknowledgedAt }) => acknowledgedAt !== null).length,
      spooled: countOf(sent, 'spooled'),
      duplicates: countOf(sent, 'duplicate'),
      events: recorded.length,
      deliveries: taken.length,
      twice: takenAgain(taken),
      again: again.filter(({ isAllowed }) => isAllowed).length,
      overtaken: overtakenAmong(sent, taken),
      deletedEarly: deletedEarly.events,
      forgotten: forgotten.size
    }
  }
}

/** What subscribers were sent, no sender was told of, and no record has, although the record has an event of the same notification. */
function forgottenOf ({ sent, received, recorded, mayForget }: Evidence): Set<string> {
  if (!mayForget) return new Set()
  const known = new Set(recorded.map(({ id }) => id))
  const told = new Set(sent.flatMap(({ eventIds }) => eventIds))
  const found = new Set(received.filter(({ eventId }) => known.has(eventId)).map(({ n }) => n))
  return new Set(received.filter(({ eventId, n }) => !known.has(eventId) && !told.has(eventId) && found.has(n)).map(({ eventId }) => eventId))
}

function wrongAnswers (sent: Sent[]): string[] {
  return sent.flatMap(({ n, answers }) => answers.filter(answer => !ALLOWED_ANSWERS.includes(answer)).map(answer => `notification ${n} was answered ${answer}`))
}

/** Whether a subscriber is meant by a type; the plan has no other patterns. */
export function wants ({ types }: typeof SUBSCRIBERS[number], type: string): boolean {
  return types.length === 0 || types.some(pattern => type.startsWith(pattern.slice(0, -1)))
}

/** Only who gives deliveries up can lose one to a full Redis: an event with a failed one may be deleted, and that is counted. */
function lost ({ sent, deletedEarly }: Evidence, taken: Received[]): string[] {
  const had = new Set(taken.map(({ subscriber, n }) => `${subscriber} ${n}`))
  const missing = sent.filter(({ acknowledgedAt }) => acknowledgedAt !== null).flatMap(({ n, type, answers }) =>
    SUBSCRIBERS.filter(subscriber => wants(subscriber, type) && !had.has(`${subscriber.name} ${n}`))
      .map(({ name }) => ({ name, says: `acknowledged and lost: notification ${n} (${answers.join(', ')}) never arrived at ${name}` })))
  const givenUp = missing.filter(({ name }) => name === GIVES_UP)
  return (givenUp.length <= deletedEarly.failed ? missing.filter(({ name }) => name !== GIVES_UP) : missing).map(({ says }) => says)
}

/** A duplicate must be no event of its own. */
function doubled (sent: Sent[], received: Received[]): string[] {
  const ids = new Map<number, Set<string>>()
  const note = (n: number, id: string): void => { ids.set(n, (ids.get(n) ?? new Set()).add(id)) }
  for (const { n, eventIds } of sent) for (const id of eventIds) note(n, id)
  for (const { n, eventId } of received) if (n !== null) note(n, eventId)
  return [...ids].filter(([, found]) => found.size > 1).map(([n, found]) => `notification ${n} became ${found.size} events: ${[...found].join(', ')}`)
}

/** Attempts that were made once more after they had been answered, and whether a fault meanwhile allows that. */
function askedAgain ({ received, spells }: Evidence): Array<{ says: string, isAllowed: boolean }> {
  const latest = new Map<string, Received>()
  return received.flatMap(next => {
    const { subscriber, eventId, attempt, at } = next
    const name = `${subscriber} ${eventId} ${attempt}`
    const before = latest.get(name)
    latest.set(name, next)
    if (before === undefined || before.answeredAt === null || before.answeredAt >= at) return []
    const meanwhile = spells.filter(({ from, to }) => from <= at && to >= before.at).map(({ kind }) => kind)
    return [{
      says: `answered and asked for again: ${eventId} was sent to ${subscriber} ${at - before.answeredAt} ms after its answer to the same attempt (${attempt}; faults meanwhile: ${meanwhile.join(', ') || 'none'})`,
      isAllowed: meanwhile.some(kind => MAY_ASK_AGAIN.test(kind) || CUTS_OFF.test(kind))
    }]
  })
}

function changedBytes (sent: Sent[], received: Received[]): string[] {
  const bodies = new Map(sent.map(({ n, bodies }) => [n, bodies]))
  return received.filter(({ n, body }) => n === null || !(bodies.get(n) ?? []).includes(body))
    .map(({ subscriber, eventId }) => `${subscriber} was sent a body that nobody had sent (${eventId})`)
}

function unfinished (recorded: Recorded[]): string[] {
  return recorded.flatMap(({ id, deliveries }) => deliveries.filter(({ state }) => state !== 'delivered')
    .map(({ subscriber, state }) => `stuck: ${id} to ${subscriber} is ${state} although nothing hinders it`))
}

/** Of what is on record, and of what is no more but was sent. */
function wrongRevisions ({ sent, received, recorded }: Evidence): string[] {
  const about = new Map(sent.map(({ n, taskId, status }) => [n, `${taskId}, status ${status}`]))
  const events = new Map<string, [name: string, revision: number]>()
  for (const { eventId, n, revision } of received) if (n !== null) events.set(eventId, [about.get(n) ?? '', revision])
  for (const { id, taskId, status, revision } of recorded) events.set(id, [`${taskId}, status ${status}`, revision])
  const groups = new Map<string, number[]>()
  for (const [name, revision] of events.values()) groups.set(name, [...groups.get(name) ?? [], revision])
  return [...groups].filter(([, revisions]) => revisions.sort((a, b) => a - b).some((revision, at) => revision !== at + 1))
    .map(([name, revisions]) => `${name} has the revisions ${revisions.join(', ')}`)
}

/** Events are neither named without being there, nor there without having been sent. */
function unaccounted ({ sent, received, recorded, deletedEarly }: Evidence): string[] {
  const known = new Set(recorded.map(({ id }) => id))
  const seen = new Set(received.map(({ eventId }) => eventId))
  const missing = new Map(sent.flatMap(({ n, eventIds }) => eventIds.filter(id => !known.has(id)).map(id => [id, n])))
  for (const { eventId, n } of received) if (!known.has(eventId)) missing.set(eventId, n ?? -1)
  return [
    ...missing.size <= deletedEarly.events ? [] : [...missing].map(([id, n]) => `${id} (notification ${n}) was told or sent, and is on no record`),
    ...recorded.filter(({ id }) => !seen.has(id)).map(({ id, taskId }) => `${id} (${taskId}) is on record, and nobody was sent it`)
  ]
}

function countOf (sent: Sent[], answer: string): number {
  return sent.reduce((sum, { answers }) => sum + answers.filter(one => one === answer).length, 0)
}

function takenAgain (taken: Received[]): number {
  const first = taken.filter(({ isReplay }) => !isReplay)
  return first.length - new Set(first.map(({ subscriber, eventId }) => `${subscriber} ${eventId}`)).size
}

function overtakenAmong (sent: Sent[], taken: Received[]): number {
  const tasks = new Map(sent.map(({ n, taskId }) => [n, taskId]))
  const newest = new Map<string, string>()
  let overtaken = 0
  for (const { subscriber, n, receivedAt } of [...taken].sort((a, b) => a.at - b.at)) {
    const name = `${subscriber} ${n === null ? '' : tasks.get(n)}`
    const before = newest.get(name) ?? ''
    if (receivedAt < before) overtaken++
    else newest.set(name, receivedAt)
  }
  return overtaken
}
