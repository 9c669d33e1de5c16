/**
 * Takes snapshots of the gateway's health: would a callback be answered with
 * 200 now, and which conditions are true? Probes and alerts are told the same.
 */
import type { Spooling } from '../accept/spool/spooling.js'
import type { Condition } from '../model/alert.js'
import { redisCodeOf } from '../model/redis-away.js'
import { readClaims } from '../record/claims.js'
import { readSubscribers, type SubscriberStatus } from '../record/read-subscribers.js'
import { readSkew } from '../record/read-time.js'
import type { RecordStore } from '../record/store.js'
import { readMemory } from '../redis/memory.js'
import type { Misdirection, RefusalCounts, State } from './condition.js'
import { isStalled } from './deliveries-stalled.js'
import { conditionsOf } from './list.js'

export interface HealthSnapshot {
  /** A callback would get a 200. */
  ready: boolean
  /** The most urgent first. */
  conditions: Condition[]
  /** `null` while the record cannot be read, and then no condition is of the whole relay. */
  subscribers: readonly SubscriberStatus[] | null
}

export interface SnapshotOptions {
  /** Fails fast. */
  store: RecordStore
  /** Rejects when Redis would not take a callback now. */
  probe: () => Promise<void>
  /** Names of the connections of the queue that are not there now; each subscriber's worker has one. */
  lostConnections: () => readonly string[]
  /** `null` when there is none. */
  spool: Pick<Spooling, 'status' | 'tryDisk'> | null
  /** How many faults the last refused reload had; 0 when it was not refused. */
  refusedFaults: () => number
  /** What is wrong among the replicas, in a sentence; `null` when nothing is. */
  replicasTrouble: () => string | null
  refusals: () => RefusalCounts
  misdirected: () => Misdirection[]
  /** Wrong admin tokens that came lately, while they are too many; else 0. */
  guesses: () => number
}

/** A snapshot may be this old: probes are many, Redis is one. */
const FRESH_MS = 500
/** A connection that is lost is there again in about a second; one that is not for so long may never be, milliseconds. */
const LOST_AFTER_MS = 5_000
/** After an outage what is due takes a moment to be attempted, milliseconds. */
const STALLED_AFTER_MS = 10_000

/**
 * Makes the function that takes them. It never rejects and answers within about a second.
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
function ownState ({ refusedFaults, replicasTrouble, refusals, misdirected, guesses }: SnapshotOptions): Pick<State, 'now' | 'refusedFaults' | 'replicasTrouble' | 'refusals' | 'misdirected' | 'guesses'> {
  return {
    now: Date.now(), refusedFaults: refusedFaults(), replicasTrouble: replicasTrouble(), refusals: refusals(), misdirected: misdirected(), guesses: guesses()
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
    // A callback gets its 200 all the same, as long as the disk takes it.
    return { ...own, redisProblem: redisCodeOf(error), spool: await spool?.tryDisk() ?? null, lostConnections: [], stalled: [], memory: null, claims: null, subscribers: null, skewMs: null }
  }
}

/** What was so for a while; to be asked while Redis is there. */
interface Watch {
  /** Of the names for which it is so now, those for which it has been so for long enough. */
  lasting: (names: readonly string[]) => string[]
  /** While Redis is away all begins anew. */
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
