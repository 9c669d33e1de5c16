/**
 * The pool of connections to one subscriber: each carries one request at a time
 * and stays open for the next.
 *
 * A request owns its connection until it gives it back. Never queues a request:
 * the caller limits the number in flight. Keeps at most as many idle
 * connections as the subscriber has concurrency.
 */
import type { LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { ClientTls } from '../model/subscriber.js'
import { Connection } from './connection.js'

export interface Pool {
  /** A connection that belongs to the caller until {@link giveBack} or its `drop`. Idle ones first, the latest used first. */
  take (): Connection
  /** Like `take`, but returns a connection without a socket. */
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
  /** Maximum number of idle connections. */
  keep: number
  /** Time limit for opening a connection, milliseconds. */
  connectTimeoutMs: number
  lookup: LookupFunction
  /** Milliseconds; the system's unless a test replaces it. */
  clock?: () => number
}

/**
 * Makes the pool of one subscriber. Connects only when a connection is used.
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
