/**
 * The connections to one subscriber: lanes that carry one request at a time
 * and stay open for the next.
 *
 * Each is owned by one request until it is given back. Never queues a request:
 * how many are under way is the caller's to bound. Keeps at most as many lanes
 * for later as the subscriber has concurrency.
 */
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { ClientTls } from '../model/subscriber.js'
import { Lane } from './lane.js'

export interface Lanes {
  /** A lane that is the caller's alone until {@link giveBack} or its `drop`. Idle ones first, the warmest first. */
  take (): Lane
  /** As `take`, but one that has no connection yet. */
  takeNew (): Lane
  /** After a complete answer. */
  giveBack (lane: Lane): void
  /** Idle lanes close now, the others when they are given back. */
  retire (): void
}

export interface LanesOptions {
  /** `http://host:port`. */
  origin: string
  /** PEM texts; an own `ca` replaces the public ones. `null` uses the public ones. */
  tls: ClientTls | null
  /** How many lanes are kept for later. */
  keep: number
  /** After which a connection that is still being made is given up, milliseconds. */
  connectTimeoutMs: number
  lookup: LookupFunction
  /** Milliseconds; the system's unless a test says otherwise. */
  clock?: () => number
}

/**
 * Makes the lanes of one subscriber. Connects nowhere until one is used.
 *
 * @throws never; PEM texts that OpenSSL refuses fail each connection, with its code
 */
export function createLanes (options: LanesOptions): Lanes {
  const { origin, keep, clock = () => performance.now() } = options
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    lookup: options.lookup,
    rejectUnauthorized: true,
    ...options.tls
  })
  const idle: Lane[] = []
  let retired = false
  const takeNew = (): Lane => new Lane(origin, connect, clock)

  return {
    take: () => idle.pop() ?? takeNew(),
    takeNew,
    giveBack (lane) {
      if (retired || idle.length >= keep || !lane.keep()) lane.close()
      else idle.push(lane)
    },
    retire () {
      retired = true
      for (const lane of idle.splice(0)) lane.close()
    }
  }
}
