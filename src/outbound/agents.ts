/**
 * Which connections belong to whom: each subscriber has a pool for its present
 * URL and TLS material, kept between attempts.
 *
 * Two subscribers never share a connection, not even on the same host: one that
 * hangs cannot use up the connections of another. When a setting changes that
 * decides the connections (see `pool`), the old ones finish their requests and
 * close.
 */
import { createPool, destinationsAgree, type Destination, type Pool } from './pool.js'
import { createLookup, type Question } from './lookup.js'
import { targetOf, type Target } from './target.js'

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
      if (known !== undefined && destinationsAgree(known.destination, destination)) return known

      const target = targetOf(destination)
      retire(destination.name)
      const agent = { destination, target, pool: createPool({ origin: target.origin, destination, lookup }) }
      agents.set(destination.name, agent)
      return agent
    },

    keepOnly (destinations) {
      const wanted = new Map(destinations.map(destination => [destination.name, destination]))
      for (const [name, { destination }] of agents) {
        const now = wanted.get(name)
        if (now === undefined || !destinationsAgree(now, destination)) retire(name)
      }
    }
  }
}
