/**
 * Remembers which subscribers a reload has taken away: a file that was cut
 * short looks like one from which they were taken out, and what arrives
 * meanwhile is not collected for them. One that returns is told what it missed.
 */
import type { Config } from '../config/config.js'
import { removedBetween } from '../config/removals.js'
import type { Report } from '../model/fact.js'
import type { RemovedSubscriber } from './condition.js'

/** Milliseconds. */
const LASTS_MS = 60 * 60_000

export interface RemovedSubscribers {
  /** Sees what a reload changes, before it does. */
  see: (before: Config, after: Config, isMeant: boolean) => void
  /** Those that were removed within the last hour, and nobody has said that it is meant. */
  recent: () => RemovedSubscriber[]
}

/** @param clock  epoch milliseconds */
export function createRemovedSubscribers (report: Report, clock: () => number = Date.now): RemovedSubscribers {
  const gone = new Map<string, { at: number, isMeant: boolean }>()
  return {
    see (before, after, isMeant) {
      for (const name of removedBetween(before, after)) gone.set(name, { at: clock(), isMeant })
      for (const { name } of after.subscribers) {
        const known = gone.get(name)
        if (known === undefined) continue
        gone.delete(name)
        report({ fact: 'subscriber.returned', subscriber: name, removedAt: known.at, advice: replayOfMissing(name, known.at) })
      }
    },
    recent: () => [...gone].filter(([, { at, isMeant }]) => !isMeant && clock() - at < LASTS_MS).map(([subscriber, { at }]) => ({ subscriber, at }))
  }
}

/** The command that gives a subscriber what arrived while it was not configured. */
export function replayOfMissing (name: string, removedAt: number): string {
  return `fotor-relay replay --subscriber ${name} --state missing --since ${new Date(removedAt).toISOString()}`
}
