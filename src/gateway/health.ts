/**
 * Whether a callback would be answered with 200 now, and what an operator
 * should look at although it would.
 */
import { readSubscribers } from '../record/read-subscribers.js'
import type { RecordStore } from '../record/store.js'
import { troublesOfMemory } from './memory.js'

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
/** How long the key of a probe lives. */
const PROBE_SECONDS = 60

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

async function look ({ store, refusedFaults, troubleAmongReplicas }: HealthOptions): Promise<Health> {
  const faults = refusedFaults()
  const reasons = faults === 0
    ? []
    : [`the last reload was refused (${faults} ${faults === 1 ? 'fault' : 'faults'}); the configuration before it is running`]
  const trouble = troubleAmongReplicas()
  if (trouble !== null) reasons.push(trouble)
  try {
    // A Redis that is full, read-only or out of disk still answers reads.
    await store.redis.set(store.keys.probe, '1', 'EX', PROBE_SECONDS)
    reasons.push(...await troublesOfMemory(store), ...await troublesOfSubscribers(store))
  } catch (error) {
    return notReady(`Redis takes no writes${codeOf(error)}`, ...reasons)
  }
  return { ready: true, status: reasons.length === 0 ? 'ok' : 'degraded', reasons }
}

function notReady (...reasons: string[]): Health {
  return { ready: false, status: 'degraded', reasons }
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
