/**
 * The gateway in numbers: what it has done, what it owes, and what it is.
 */
import { Type, type Static } from 'typebox'
import type { SpoolStatus } from '../accept/spool/spooling.js'
import { differing, type Replica } from '../model/replica.js'
import { CLAIM_BYTES } from '../model/dedupe.js'
import { readClaims } from '../record/claims.js'
import { readArriving, readStats, readSubscribers, type SubscriberStatus } from '../record/read-subscribers.js'
import { readReplicas } from '../record/replicas.js'
import type { RecordStore } from '../record/store.js'
import type { AdminOptions } from './options.js'
import { API, type Route } from './route.js'
import { Count, nullable, oneOf, Time, timeOf } from './shapes.js'

export const StatsShape = Type.Object({
  counters: Type.Object({
    accepted: Count,
    duplicates: Count,
    delivered: Count,
    failed: Count,
    corrupt: Type.Integer({ minimum: 0, description: 'of these, the ones that could not be read in Redis' }),
    deletedEarly: Type.Integer({ minimum: 0, description: 'events deleted before their retention was over, because memory was short' }),
    failedDeletedEarly: Type.Integer({ minimum: 0, description: 'of these, the ones with a failed delivery' }),
    claimsGivenUp: Type.Integer({ minimum: 0, description: 'deleted events that could no longer be remembered for as long as dedupe.window says' })
  }, { description: 'since the record began' }),
  events: Type.Integer({ minimum: 0, description: 'in the record now' }),
  memory: nullable(Type.Object({
    usedBytes: Count, maxBytes: Count
  }), { description: 'of Redis, as it counts itself; null when it has no maxmemory or does not tell' }),
  remembered: Type.Object({
    claims: Type.Integer({ minimum: 0, description: 'deleted events whose repeats are recognised' }),
    mostBytes: nullable(Count, { description: 'what they may take in Redis; null when there is no limit' }),
    forgottenBefore: nullable(Time, { description: 'a repeat of a callback from before is no longer recognised; null while all are, for dedupe.window' }),
    perSecond: Type.Number({ minimum: 0, description: 'new callbacks a second, on average since the oldest that is remembered or recorded' })
  }, { description: 'what repeats are known by when their event has been deleted' }),
  backlog: Type.Object({ open: Count, held: Count, failed: Count, oldestWaitingAt: nullable(Time) }, { description: 'deliveries that are owed, held for their event, or given up' }),
  subscribers: Type.Object({ total: Count, configured: Count, onHold: Count, withFailed: Count }),
  spool: nullable(Type.Object({
    state: oneOf(['idle', 'spooling', 'draining']),
    callbacks: Count,
    bytes: Count,
    maxBytes: Count,
    oldestAt: nullable(Time),
    problem: nullable(Type.String(), { description: 'why it takes no callbacks' }),
    setAside: Type.Integer({ minimum: 0, description: 'files that nobody can accept and an operator has to look at' })
  }), { description: 'callbacks on the local disk of this process; null when it has no spool' }),
  process: Type.Object({
    version: Type.String(),
    startedAt: Time,
    uptimeSeconds: Count,
    pid: Count,
    redis: oneOf(['managed', 'external']),
    configFile: Type.String(),
    rssBytes: Count,
    heapUsedBytes: Count
  }),
  replicas: Type.Array(Type.Object({
    id: Type.String(),
    host: Type.String(),
    pid: Count,
    role: oneOf(['all', 'ingest', 'deliver']),
    version: Type.String(),
    startedAt: Time,
    configuration: Type.String({ description: 'a fingerprint: equal ones are of equal configurations, secrets included' }),
    configuredAt: { ...Time, description: 'since when it runs that configuration' },
    differs: Type.Boolean({ description: 'its configuration is not the one that most replicas run' }),
    self: Type.Boolean({ description: 'it is the one that answers' })
  }), { description: 'every gateway that shares this Redis and prefix; one that died is listed for ten seconds more' })
})

/** The route of the numbers. */
export function statsRoutes (options: AdminOptions): Route[] {
  const handle: Route['handle'] = async (): Promise<Static<typeof StatsShape>> => {
    const [{ events, memory, ...counters }, subscribers, replicas, remembered] =
      await Promise.all([readStats(options.store), readSubscribers(options.store), readReplicas(options.store), readRemembered(options.store)])
    return {
      counters,
      events,
      memory,
      remembered,
      backlog: backlogOf(subscribers),
      subscribers: {
        total: subscribers.length,
        configured: options.subscribers().length,
        onHold: subscribers.filter(({ holds }) => holds.length > 0).length,
        withFailed: subscribers.filter(({ counts }) => counts.failed > 0).length
      },
      spool: describeSpool(options.spool()),
      process: describeProcess(options),
      replicas: showReplicas(replicas, options.process().replicaId)
    }
  }

  return [{
    method: 'GET',
    path: `${API}/stats`,
    does: 'Tells what the gateway has done, what it owes and what it is.',
    answers: { 200: { means: 'The numbers', schema: StatsShape } },
    handle
  }]
}

async function readRemembered (store: RecordStore): Promise<Static<typeof StatsShape>['remembered']> {
  const [{ claims, mostClaims, forgottenBefore, oldestAt }, arriving] = await Promise.all([readClaims(store), readArriving(store)])
  const since = Math.min(oldestAt ?? Infinity, arriving.oldestAt ?? Infinity)
  const seconds = Math.max(1, (Date.now() - since) / 1_000)
  return {
    claims,
    mostBytes: mostClaims === null ? null : mostClaims * CLAIM_BYTES,
    forgottenBefore: forgottenBefore === null ? null : timeOf(forgottenBefore),
    perSecond: Math.round((claims + arriving.events) / seconds * 100) / 100
  }
}

function backlogOf (subscribers: readonly SubscriberStatus[]): Static<typeof StatsShape>['backlog'] {
  const sum = (count: 'open' | 'held' | 'failed'): number => subscribers.reduce((total, { counts }) => total + counts[count], 0)
  const waiting = subscribers.flatMap(({ oldestWaitingAt }) => oldestWaitingAt ?? [])
  return {
    open: sum('open'),
    held: sum('held'),
    failed: sum('failed'),
    oldestWaitingAt: waiting.length === 0 ? null : timeOf(Math.min(...waiting))
  }
}

function describeSpool (status: SpoolStatus | null): Static<typeof StatsShape>['spool'] {
  if (status === null) return null
  const { isSpooling, oldestAt, ...same } = status
  const state = isSpooling ? 'spooling' : same.callbacks > 0 ? 'draining' : 'idle'
  return { state, ...same, oldestAt: oldestAt === null ? null : timeOf(oldestAt) }
}

function describeProcess (options: AdminOptions): Static<typeof StatsShape>['process'] {
  const { version, startedAt, pid, redis, configFile } = options.process()
  const { rss, heapUsed } = process.memoryUsage()
  return {
    version,
    startedAt: timeOf(startedAt),
    uptimeSeconds: Math.max(0, Math.floor((Date.now() - startedAt) / 1_000)),
    pid,
    redis,
    configFile,
    rssBytes: rss,
    heapUsedBytes: heapUsed
  }
}

function showReplicas (replicas: readonly Replica[], selfId: string): Static<typeof StatsShape>['replicas'] {
  const others = new Set(differing(replicas))
  return replicas.map(replica => {
    const { fingerprint, startedAt, configuredAt, ...same } = replica
    return {
      ...same,
      startedAt: timeOf(startedAt),
      configuration: fingerprint,
      configuredAt: timeOf(configuredAt),
      differs: others.has(replica),
      self: replica.id === selfId
    }
  })
}
