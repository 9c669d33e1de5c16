/**
 * The pool of connections to one subscriber: each carries one request at a
 * time and stays open for the next.
 *
 * A connection is owned by one request until it is given back. Never queues a
 * request: how many are under way is the caller's to bound. Keeps at most as
 * many connections for later as the subscriber has concurrency.
 */
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { ClientTls } from '../model/subscriber.js'
import { Connection } from './connection.js'

export interface Pool {
  /** A connection that is the caller's alone until {@link giveBack} or its `drop`. Idle ones first, the warmest first. */
  take (): Connection
  /** As `take`, but one that has no socket yet. */
  takeNew (): Connection
  /** After a complete answer. */
  giveBack (connection: Connection): void
  /** Idle connections close now, the others when they are given back. */
  retire (): void
}

export interface PoolOptions {
  /** `http://host:port`. */
  origin: string
  /** PEM texts; an own `ca` replaces the public ones. `null` uses the public ones. */
  tls: ClientTls | null
  /** How many connections are kept for later. */
  keep: number
  /** After which a connection that is still being made is given up, milliseconds. */
  connectTimeoutMs: number
  lookup: LookupFunction
  /** Milliseconds; the system's unless a test says otherwise. */
  clock?: () => number
}

/**
 * Makes the pool of one subscriber. Connects nowhere until a connection is used.
 *
 * @throws never; PEM texts that OpenSSL refuses fail each connection, with its code
 */
export function createPool (options: PoolOptions): Pool {
  const { origin, keep, clock = () => performance.now() } = options
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    lookup: options.lookup,
    rejectUnauthorized: true,
    ...options.tls
  })
  const idle: Connection[] = []
  let retired = false
  const takeNew = (): Connection => new Connection(origin, connect, clock)

  return {
    take: () => idle.pop() ?? takeNew(),
    takeNew,
    giveBack (connection) {
      if (retired || idle.length >= keep || !connection.keep()) connection.close()
      else idle.push(connection)
    },
    retire () {
      retired = true
      for (const connection of idle.splice(0)) connection.close()
    }
  }
}
