/**
 * Takes snapshots of the gateway's health: would a callback be answered with
 * 200 now, and which conditions are true? Probes and alerts use the same snapshot.
 */
import type { Spooling } from '../accept/spool/spooling.js'
import type { Condition } from '../model/alert.js'
import type { LogStatus } from '../model/log-status.js'
import { redisCodeOf } from '../model/redis-away.js'
import { readClaims } from '../record/claims.js'
import { readSubscribers, type SubscriberStatus } from '../record/read-subscribers.js'
import { readSkew } from '../record/read-time.js'
import type { RecordStore } from '../record/store.js'
import { readMemory } from '../redis/memory.js'
import type { Misdirection, RefusalCounts, RemovedSubscriber, State } from './condition.js'
import { isStalled } from './deliveries-stalled.js'
import { conditionsOf } from './list.js'

export interface HealthSnapshot {
  /** A callback would get a 200. */
  ready: boolean
  /** The most urgent first. */
  conditions: Condition[]
  /** `null` while the record cannot be read; then no condition concerns the whole relay. */
  subscribers: readonly SubscriberStatus[] | null
}

export interface SnapshotOptions {
  /** A fail-fast connection. */
  store: RecordStore
  /** Rejects if Redis would not accept a callback now. */
  probe: () => Promise<void>
  /** Names of the queue's connections that are lost now; each subscriber's worker has one. */
  lostConnections: () => readonly string[]
  /** `null` if there is none. */
  spool: Pick<Spooling, 'status' | 'tryDisk'> | null
  log: () => LogStatus
  /** How many faults the last refused reload had; 0 when it was not refused. */
  refusedFaults: () => number
  /** What is wrong among the replicas, in a sentence; `null` if nothing is. */
  replicasTrouble: () => string | null
  refusals: () => RefusalCounts
  misdirected: () => Misdirection[]
  /** Wrong admin tokens that came lately, while they are too many; else 0. */
  guesses: () => number
  removed: () => readonly RemovedSubscriber[]
}

/** Maximum age of a snapshot, milliseconds: there are many probes and one Redis. */
const FRESH_MS = 500
/** A lost connection is usually back in a second; one that is lost for longer may never come back, milliseconds. */
const LOST_AFTER_MS = 5_000
/** After an outage, due deliveries need a moment to be attempted, milliseconds. */
const STALLED_AFTER_MS = 10_000

/**
 * Makes the function that takes snapshots. It never rejects and answers within about a second.
 *
 * @param clock  milliseconds
 */
export function createSnapshots (options: SnapshotOptions, clock: () => number = () => performance.now()): () => Promise<HealthSnapshot> {
  let latest: Promise<HealthSnapshot> | null = null
  let takenAt = -Infinity
  const watches = { connections: watchLasting(LOST_AFTER_MS, clock), stalled: watchLasting(STALLED_AFTER_MS, clock) }
  return async () => {
    const now = clock()
    if (latest === null || now - takenAt > FRESH_MS) {
      latest = takeSnapshot(options, watches)
      takenAt = now
    }
    return await latest
  }
}

async function takeSnapshot (options: SnapshotOptions, watches: Watches): Promise<HealthSnapshot> {
  const state = await readState(options, watches)
  const ready = state.redisProblem === null || state.spool?.problem === null
  return { ready, conditions: conditionsOf(state), subscribers: state.subscribers }
}

/** What this process knows by itself. */
function ownState ({ log, refusedFaults, replicasTrouble, refusals, misdirected, guesses, removed }: SnapshotOptions): Pick<State, 'now' | 'log' | 'refusedFaults' | 'replicasTrouble' | 'refusals' | 'misdirected' | 'guesses' | 'removed'> {
  return {
    now: Date.now(),
    log: log(),
    refusedFaults: refusedFaults(),
    replicasTrouble: replicasTrouble(),
    refusals: refusals(),
    misdirected: misdirected(),
    guesses: guesses(),
    removed: removed()
  }
}

async function readState (options: SnapshotOptions, watches: Watches): Promise<State> {
  const { store, probe, spool, lostConnections } = options
  const own = ownState(options)
  try {
    await probe()
    const [memory, claims, subscribers, skewMs] = await Promise.all([readMemory(store.redis, store.keys), readClaims(store), readSubscribers(store), readSkew(store)])
    const stalled = watches.stalled.lasting(subscribers.filter(isStalled).map(({ name }) => name))
    return {
      ...own, redisProblem: null, spool: spool?.status() ?? null, lostConnections: watches.connections.lasting(lostConnections()), stalled, memory, claims, subscribers, skewMs
    }
  } catch (error) {
    for (const watch of Object.values(watches)) watch.forget()
    // A callback still gets its 200, as long as the disk takes it.
    return { ...own, redisProblem: redisCodeOf(error), spool: await spool?.tryDisk() ?? null, lostConnections: [], stalled: [], memory: null, claims: null, subscribers: null, skewMs: null }
  }
}

/** Finds what has lasted for a while; used only while Redis is there. */
interface Watch {
  /** Of the present names, those that have been present for long enough. */
  lasting: (names: readonly string[]) => string[]
  /** While Redis is away, every duration starts again. */
  forget: () => void
}

interface Watches { connections: Watch, stalled: Watch }

function watchLasting (forMs: number, clock: () => number): Watch {
  let since = new Map<string, number>()
  return {
    lasting (names) {
      since = new Map(names.map(name => [name, since.get(name) ?? clock()]))
      return [...since].filter(([, at]) => clock() - at >= forMs).map(([name]) => name)
    },
    forget () { since.clear() }
  }
}
