/**
 * The gateway in numbers: what it has done, what it owes, and what it is.
 */
import { Type, type Static } from 'typebox'
import { readStats, readSubscribers, type SubscriberStatus } from '../record/read-subscribers.js'
import type { AdminOptions } from './options.js'
import { API, type Route } from './route.js'
import { Count, nullable, oneOf, Time, timeOf } from './shapes.js'

const StatsShape = Type.Object({
  counters: Type.Object({
    accepted: Count, duplicates: Count, delivered: Count, failed: Count
  }, { description: 'since the record began' }),
  events: Type.Integer({ minimum: 0, description: 'in the record now' }),
  backlog: Type.Object({ open: Count, held: Count, failed: Count, oldestWaitingAt: nullable(Time) }, { description: 'deliveries that are owed, held for their event, or given up' }),
  subscribers: Type.Object({ total: Count, configured: Count, onHold: Count, withFailed: Count }),
  process: Type.Object({
    version: Type.String(),
    startedAt: Time,
    uptimeSeconds: Count,
    pid: Count,
    redis: oneOf(['managed', 'external']),
    configFile: Type.String(),
    rssBytes: Count,
    heapUsedBytes: Count
  })
})

/** The route of the numbers. */
export function statsRoutes (options: AdminOptions): Route[] {
  const handle: Route['handle'] = async (): Promise<Static<typeof StatsShape>> => {
    const [{ events, accepted, duplicates, delivered, failed }, subscribers] =
      await Promise.all([readStats(options.store), readSubscribers(options.store)])
    return {
      counters: { accepted, duplicates, delivered, failed },
      events,
      backlog: backlogOf(subscribers),
      subscribers: {
        total: subscribers.length,
        configured: options.subscribers().length,
        onHold: subscribers.filter(({ holds }) => holds.length > 0).length,
        withFailed: subscribers.filter(({ counts }) => counts.failed > 0).length
      },
      process: describeProcess(options)
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
