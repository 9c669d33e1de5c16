/**
 * Looks at the gateway as a whole: would a callback be answered with 200 now,
 * and what should an operator know? The probes and the alerts are told the same.
 */
import type { Spooling, SpoolStatus } from '../accept/spool/spooling.js'
import type { Condition } from '../model/alert.js'
import { readSubscribers, type SubscriberStatus } from '../record/read-subscribers.js'
import type { RecordStore } from '../record/store.js'
import { conditionsOfMemory } from './memory.js'
import { conditionsOfSpool } from './spool.js'

export interface Look {
  /** A callback would get a 200. */
  ready: boolean
  /** What is not as it should be. */
  conditions: Condition[]
  /** What the record knows of subscribers; `null` while it cannot be read, and then no condition is of the whole relay. */
  subscribers: SubscriberStatus[] | null
}

export interface LookOptions {
  /** Fails fast. */
  store: RecordStore
  /** Rejects when Redis would not take a callback now. */
  probe: () => Promise<void>
  /** Whether the connection that works the queue is there, where there is one. */
  isQueueConnected: () => boolean
  /** `null` when there is none. */
  spool: Pick<Spooling, 'status' | 'tryDisk'> | null
  /** How many faults the last refused reload had; 0 when it was not refused. */
  refusedFaults: () => number
  /** What is wrong among the replicas, in a sentence; `null` when nothing is. */
  troubleAmongReplicas: () => string | null
}

/** A look may be this old: probes are many, Redis is one. */
const FRESH_MS = 500
/** A connection that is lost is there again in about a second; one that is not for so long may never be, milliseconds. */
const CUT_OFF_AFTER_MS = 5_000

/**
 * Makes the function that looks. It never rejects and answers within about a second.
 *
 * @param clock  milliseconds
 */
export function createLook (options: LookOptions, clock: () => number = () => performance.now()): () => Promise<Look> {
  let latest: Promise<Look> | null = null
  let takenAt = -Infinity
  const queue = watchQueue(options.isQueueConnected, clock)
  return async () => {
    const now = clock()
    if (latest === null || now - takenAt > FRESH_MS) {
      latest = look(options, queue)
      takenAt = now
    }
    return await latest
  }
}

async function look ({ store, probe, spool, refusedFaults, troubleAmongReplicas }: LookOptions, queue: QueueWatch): Promise<Look> {
  const own = conditionsOfConfiguration(refusedFaults(), troubleAmongReplicas())
  try {
    await probe()
    const [memory, subscribers] = await Promise.all([conditionsOfMemory(store), readSubscribers(store)])
    const ofSpool = spool === null ? [] : conditionsOfSpool(spool.status())
    return { ready: true, conditions: [...own, ...queue.conditions(), ...ofSpool, ...memory, ...subscribers.flatMap(conditionsOf)], subscribers }
  } catch (error) {
    queue.forget()
    return await lookWithoutRedis(spool, `Redis takes no writes${codeOf(error)}`, own)
  }
}

interface QueueWatch {
  /** While Redis is there. */
  conditions: () => Condition[]
  /** While it is away the queue is, too, and has time to come back after it. */
  forget: () => void
}

function watchQueue (isConnected: () => boolean, clock: () => number): QueueWatch {
  let lostAt: number | null = null
  return {
    conditions () {
      lostAt = isConnected() ? null : lostAt ?? clock()
      if (lostAt === null || clock() - lostAt < CUT_OFF_AFTER_MS) return []
      return [{ ...ofReplica('queue-cut-off', 'critical'), summary: 'Redis takes callbacks, but the connection of the queue is lost: nothing is delivered from here' }]
    },
    forget () { lostAt = null }
  }
}

/** A callback gets its 200 all the same, as long as the disk takes it. */
async function lookWithoutRedis (spool: LookOptions['spool'], away: string, own: Condition[]): Promise<Look> {
  if (spool === null) return { ready: false, conditions: [refused(away), ...own], subscribers: null }
  const status = await spool.tryDisk()
  const means = status.problem === null
    ? { ...ofReplica('redis-away', 'critical'), summary: `${away}: callbacks are kept in the spool` }
    : refused(`${away}, and the spool takes no callbacks (${status.problem})`)
  // That it takes none has been said.
  const waiting = conditionsOfSpool({ ...status, problem: null } satisfies SpoolStatus)
  return { ready: status.problem === null, conditions: [means, ...waiting, ...own], subscribers: null }
}

function refused (summary: string): Condition {
  return { ...ofReplica('callbacks-refused', 'critical'), summary }
}

function ofReplica (name: Condition['name'], severity: Condition['severity']): Omit<Condition, 'summary'> {
  return { name, severity, of: 'replica', subscriber: null }
}

function conditionsOfConfiguration (faults: number, amongReplicas: string | null): Condition[] {
  const summary = `the last reload was refused (${faults} ${faults === 1 ? 'fault' : 'faults'}); the configuration before it is running`
  return [
    ...faults === 0 ? [] : [{ ...ofReplica('reload-refused', 'warning'), summary }],
    ...amongReplicas === null ? [] : [{ ...ofReplica('replicas-differ', 'warning'), of: 'relay' as const, summary: amongReplicas }]
  ]
}

/** Redis's own word for it; nothing else of an error is for everybody, it may name hosts and ports. */
function codeOf (error: unknown): string {
  const [code] = /^(OOM|MISCONF|READONLY|LOADING|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|NOAUTH|NOPERM)\b/.exec(error instanceof Error ? error.message : '') ?? []
  return code === undefined ? '' : ` (${code})`
}

function conditionsOf ({ name: subscriber, holds, counts, failing }: SubscriberStatus): Condition[] {
  const waiting = counts.open === 0 ? '' : `, ${counts.open} waiting`
  const about = { of: 'relay', subscriber, figures: { waiting: counts.open } } as const
  if (holds.includes('gone')) {
    return [{ ...about, name: 'subscriber-gone', severity: 'critical', summary: `subscriber ${subscriber} answered 410 and is on hold${waiting}` }]
  }
  const name = holds.every(hold => hold === 'breaker') ? 'subscriber-failing' : 'subscriber-on-hold'
  if (holds.length > 0) {
    return counts.open === 0 ? [] : [{ ...about, name, severity: 'warning', summary: `subscriber ${subscriber} is on hold (${holds.join(', ')})${waiting}` }]
  }
  return failing ? [{ ...about, name, severity: 'warning', summary: `subscriber ${subscriber} is failing${waiting}` }] : []
}
