/**
 * Subscribers: what the configuration says of them together with what the
 * record knows, and the two switches that an operator has.
 */
import type { Static } from 'typebox'
import { RelayError } from '../model/errors.js'
import type { SubscriberHold } from '../model/delivery.js'
import type { Subscriber } from '../model/subscriber.js'
import { resumeSubscriber, setHold } from '../record/holds.js'
import { readSubscriber, readSubscribers, type SubscriberStatus } from '../record/read-subscribers.js'
import { within } from '../time/within.js'
import { didYouMean } from './did-you-mean.js'
import type { AdminOptions } from './options.js'
import { API, pathParameter, type Route } from './route.js'
import { listOf, SubscriberShape, timeOf } from './shapes.js'

/** Milliseconds. */
const QUEUE_TOLD_MS = 2_000

type Shown = Static<typeof SubscriberShape>

/** The routes under `/subscribers`. */
export function subscriberRoutes (options: AdminOptions): Route[] {
  const list: Route['handle'] = async () => {
    const all = await readAll(options)
    return { items: all.map(({ entry, status }) => showSubscriber(entry, status)), nextCursor: null }
  }

  const pause: Route['handle'] = async request => {
    const { status: { name } } = await find(options, pathParameter(request, 'name'))
    if (await setHold(options.store, name, 'pause')) options.report({ fact: 'subscriber.held', subscriber: name, by: 'pause' })
    return await showOne(options, name)
  }

  const resume: Route['handle'] = async request => {
    const { status: { name } } = await find(options, pathParameter(request, 'name'))
    for (const by of await resumeSubscriber(options.store, name)) options.report({ fact: 'subscriber.released', subscriber: name, by })
    const { status } = await find(options, name)
    if (status.holds.length === 0) await wakeQueue(options, name)
    return await showOne(options, name)
  }

  return [
    {
      method: 'GET',
      path: `${API}/subscribers`,
      does: 'Lists subscribers by name: those configured, and those that were and still have deliveries.',
      answers: { 200: { means: 'All of them', schema: listOf(SubscriberShape) } },
      handle: list
    },
    {
      method: 'POST',
      path: `${API}/subscribers/:name/pause`,
      does: 'Holds all deliveries to a subscriber until it is resumed.',
      answers: { 200: { means: 'The subscriber, paused', schema: SubscriberShape } },
      handle: pause
    },
    {
      method: 'POST',
      path: `${API}/subscribers/:name/resume`,
      does: 'Ends a pause, whether an operator made it or an answer of 410, and a wait that an answer asked for; an open breaker makes its trial now.',
      answers: { 200: { means: 'The subscriber', schema: SubscriberShape } },
      handle: resume
    }
  ]
}

interface KnownSubscriber {
  /** `null` when it is configured no more. */
  entry: Subscriber | null
  status: SubscriberStatus
}

/** By name. */
async function readAll ({ store, subscribers }: AdminOptions): Promise<KnownSubscriber[]> {
  const entries = new Map(subscribers().map(entry => [entry.name, entry]))
  const recorded = await readSubscribers(store)
  const names = new Set(recorded.map(({ name }) => name))
  const fresh = [...entries.keys()].filter(name => !names.has(name)).map(unheardOf)
  return [...recorded, ...fresh]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map(status => ({ entry: entries.get(status.name) ?? null, status }))
}

/** @throws RelayError NOT_FOUND when nobody was ever called so */
async function find (options: AdminOptions, name: string): Promise<KnownSubscriber> {
  const entry = options.subscribers().find(subscriber => subscriber.name === name) ?? null
  const status = await readSubscriber(options.store, name) ?? (entry === null ? null : unheardOf(name))
  if (status !== null) return { entry, status }
  const names = (await readAll(options)).map(({ status }) => status.name)
  const known = names.length === 0 ? ' There is none at all.' : ` There are ${names.join(', ')}.`
  throw new RelayError('NOT_FOUND', `There is no subscriber of this name.${didYouMean(name, names)}${known}`)
}

async function showOne (options: AdminOptions, name: string): Promise<Shown> {
  const { entry, status } = await find(options, name)
  return showSubscriber(entry, status)
}

function showSubscriber (entry: Subscriber | null, { name, holds, throttledUntil, counts, oldestWaitingAt, lastSuccessAt, lastError, breaker }: SubscriberStatus): Shown {
  const { open, held, failed, delivered } = counts
  return {
    name,
    url: entry?.shownUrl ?? null,
    enabled: entry?.enabled ?? false,
    pausedBy: pausedBy(holds),
    breaker,
    heldBy: holds[0] ?? null,
    heldUntil: timeOf(throttledUntil),
    counts: { open, held, failed, delivered },
    oldestWaitingAt: timeOf(oldestWaitingAt),
    lastSuccessAt: timeOf(lastSuccessAt),
    lastError
  }
}

function pausedBy (holds: readonly SubscriberHold[]): Shown['pausedBy'] {
  if (holds.includes('gone')) return 'gone'
  return holds.includes('pause') ? 'operator' : null
}

/** The hold is the fact; its connection would wait for Redis as long as it takes, and workers look by themselves every few seconds. */
async function wakeQueue ({ queues }: AdminOptions, name: string): Promise<void> {
  await within(QUEUE_TOLD_MS, queues.wake(name), () => {})
}

/** Configured, but nothing is recorded of it yet. */
function unheardOf (name: string): SubscriberStatus {
  return {
    name,
    holds: [],
    throttledUntil: null,
    counts: { open: 0, held: 0, failed: 0, delivered: 0 },
    oldestWaitingAt: null,
    corrupt: 0,
    lastSuccessAt: null,
    lastError: null,
    failing: false,
    overdue: false,
    breaker: 'closed'
  }
}
