/**
 * Which connections belong to whom: each subscriber has a pool for its present
 * URL and TLS material, kept between attempts.
 *
 * Two subscribers never share a connection, not even on the same host: one that
 * hangs cannot use up the connections of another. When a subscriber's URL, TLS
 * material, concurrency or timeout changes, its old connections finish their
 * requests and close.
 */
import type { Subscriber } from '../model/subscriber.js'
import { createPool, type Pool } from './pool.js'
import { createLookup, type Question } from './lookup.js'
import { targetOf, type Target } from './target.js'

/** The settings of a subscriber that decide its connections. */
export type Destination = Pick<Subscriber, 'name' | 'url' | 'shownUrl' | 'tls' | 'concurrency' | 'timeoutMs'>

export interface Agent {
  target: Target
  pool: Pool
}

export interface Agents {
  /**
   * The agent of a destination; a new one if the destination has changed.
   *
   * @throws RelayError CONFIG_INVALID if the URL is invalid
   */
  agentOf (destination: Destination): Agent
  /** Retires the agents of destinations that are gone or have changed. */
  keepOnly (destinations: readonly Destination[]): void
}

/**
 * Makes an empty set of agents, with one resolver for all of them.
 *
 * @param question  see {@link createLookup}
 */
export function createAgents (question?: Question): Agents {
  const agents = new Map<string, Agent & { destination: Destination }>()
  const lookup = createLookup(question)

  function retire (name: string): void {
    agents.get(name)?.pool.retire()
    agents.delete(name)
  }

  return {
    agentOf (destination) {
      const known = agents.get(destination.name)
      if (known !== undefined && isSame(known.destination, destination)) return known

      const target = targetOf(destination)
      retire(destination.name)
      const pool = createPool({
        origin: target.origin,
        tls: destination.tls,
        keep: destination.concurrency,
        connectTimeoutMs: destination.timeoutMs,
        lookup
      })
      const agent = { destination, target, pool }
      agents.set(destination.name, agent)
      return agent
    },

    keepOnly (destinations) {
      const wanted = new Map(destinations.map(destination => [destination.name, destination]))
      for (const [name, { destination }] of agents) {
        const now = wanted.get(name)
        if (now === undefined || !isSame(now, destination)) retire(name)
      }
    }
  }
}

function isSame (a: Destination, b: Destination): boolean {
  return a === b || (
    a.url === b.url && a.shownUrl === b.shownUrl && a.concurrency === b.concurrency && a.timeoutMs === b.timeoutMs &&
    a.tls?.ca === b.tls?.ca && a.tls?.cert === b.tls?.cert && a.tls?.key === b.tls?.key
  )
}
