/**
 * Whether a callback would be answered with 200 now, and what an operator
 * should look at although it would.
 */
import type { Spooling } from '../accept/spool/spooling.js'
import { readSubscribers } from '../record/read-subscribers.js'
import type { RecordStore } from '../record/store.js'
import { troublesOfMemory } from './memory.js'
import { describeSetAside, describeWaiting } from './spool.js'

export interface Health {
  /** A callback would get a 200. */
  ready: boolean
  status: 'ok' | 'degraded'
  /** For an operator, one sentence each; no secrets. */
  reasons: string[]
}

export interface HealthOptions {
  /** Fails fast. */
  store: RecordStore
  /** Rejects when Redis would not take a callback now. */
  probe: () => Promise<void>
  /** `null` when there is none. */
  spool: Pick<Spooling, 'status' | 'tryDisk'> | null
  /** Whether every listener is open: who asks before that must send nothing yet. */
  open: () => boolean
  stopping: () => boolean
  /** How many faults the last refused reload had; 0 when it was not refused. */
  refusedFaults: () => number
  /** What is wrong among the replicas, in a sentence; `null` when nothing is. */
  troubleAmongReplicas: () => string | null
}

/** An answer may be this old: probes are many, Redis is one. */
const FRESH_MS = 500

/** Makes the function that tells. It never rejects and answers within about a second. */
export function createHealth (options: HealthOptions): () => Promise<Health> {
  let latest: Promise<Health> | null = null
  let takenAt = -Infinity
  return async () => {
    if (options.stopping()) return notReady('the gateway is stopping')
    if (!options.open()) return notReady('the gateway is starting')
    const now = performance.now()
    if (latest === null || now - takenAt > FRESH_MS) {
      latest = look(options)
      takenAt = now
    }
    return await latest
  }
}

async function look ({ store, probe, spool, refusedFaults, troubleAmongReplicas }: HealthOptions): Promise<Health> {
  const faults = refusedFaults()
  const reasons = faults === 0
    ? []
    : [`the last reload was refused (${faults} ${faults === 1 ? 'fault' : 'faults'}); the configuration before it is running`]
  const trouble = troubleAmongReplicas()
  if (trouble !== null) reasons.push(trouble)
  try {
    await probe()
    reasons.push(...troublesOfSpool(spool), ...await troublesOfMemory(store), ...await troublesOfSubscribers(store))
  } catch (error) {
    return await lookWithoutRedis(spool, { away: `Redis takes no writes${codeOf(error)}`, reasons })
  }
  return { ready: true, status: reasons.length === 0 ? 'ok' : 'degraded', reasons }
}

function notReady (...reasons: string[]): Health {
  return { ready: false, status: 'degraded', reasons }
}

/** A callback gets its 200 all the same, as long as the disk takes it. */
async function lookWithoutRedis (spool: HealthOptions['spool'], { away, reasons }: { away: string, reasons: string[] }): Promise<Health> {
  if (spool === null) return notReady(away, ...reasons)
  const status = await spool.tryDisk()
  const { problem } = status
  const means = problem === null ? `${away}: callbacks are kept in the spool` : `${away}, and the spool takes no callbacks (${problem})`
  return { ready: problem === null, status: 'degraded', reasons: [means, ...describeWaiting(status), ...describeSetAside(status), ...reasons] }
}

function troublesOfSpool (spool: HealthOptions['spool']): string[] {
  if (spool === null) return []
  const status = spool.status()
  const broken = status.problem === null ? [] : [`the spool takes no callbacks (${status.problem}): they would be refused while Redis is away`]
  return [...broken, ...describeWaiting(status), ...describeSetAside(status)]
}

/** Redis's own word for it; nothing else of an error is for everybody, it may name hosts and ports. */
function codeOf (error: unknown): string {
  const [code] = /^(OOM|MISCONF|READONLY|LOADING|NOREPLICAS|CLUSTERDOWN|MASTERDOWN|NOAUTH|NOPERM)\b/.exec(error instanceof Error ? error.message : '') ?? []
  return code === undefined ? '' : ` (${code})`
}

async function troublesOfSubscribers (store: RecordStore): Promise<string[]> {
  const subscribers = await readSubscribers(store)
  return subscribers.flatMap(({ name, holds, counts, failing }) => {
    const waiting = counts.open === 0 ? '' : `, ${counts.open} waiting`
    if (holds.includes('gone')) return [`subscriber ${name} answered 410 and is on hold${waiting}`]
    if (holds.length > 0) return counts.open === 0 ? [] : [`subscriber ${name} is on hold (${holds.join(', ')})${waiting}`]
    return failing ? [`subscriber ${name} is failing${waiting}`] : []
  })
}
