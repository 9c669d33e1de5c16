/**
 * The pool of connections to one subscriber: each carries one request at a time
 * and stays open for the next.
 *
 * A request owns its connection until it gives it back. Never queues a request:
 * the caller limits the number in flight. Keeps at most as many idle
 * connections as the subscriber has concurrency.
 */
import type { LookupFunction } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { buildConnector } from 'undici'
import type { Subscriber } from '../model/subscriber.js'
import { Connection } from './connection.js'

/** The settings that decide the connections of a subscriber: after a change of one, new connections are made. */
const SETTINGS = ['url', 'shownUrl', 'tls', 'concurrency', 'timeoutMs'] as const

/** A subscriber or a receiver, as far as its connections are concerned. */
export type Destination = Pick<Subscriber, 'name' | typeof SETTINGS[number]>

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
  /** Of the destination, `http://host:port`. */
  origin: string
  destination: Destination
  lookup: LookupFunction
  /** Milliseconds; the system's unless a test replaces it. */
  clock?: () => number
}

/** Whether the connections of one destination can serve the other too. */
export function destinationsAgree (one: Destination, other: Destination): boolean {
  return one === other || SETTINGS.every(setting => isDeepStrictEqual(one[setting], other[setting]))
}

/**
 * Makes the pool of one subscriber. Connects only when a connection is used. An
 * own `ca` replaces the public ones; the timeout also limits the opening.
 *
 * @throws never; PEM texts that OpenSSL refuses fail each connection, with its code
 */
export function createPool (options: PoolOptions): Pool {
  const { origin, destination: { tls, concurrency, timeoutMs }, lookup, clock = () => performance.now() } = options
  const connect = buildConnector({
    timeout: timeoutMs,
    lookup,
    rejectUnauthorized: true,
    ...tls
  })
  const idle: Connection[] = []
  let retired = false
  const takeNew = (): Connection => new Connection(origin, connect, clock)

  return {
    take: () => idle.pop() ?? takeNew(),
    takeNew,
    giveBack (connection) {
      if (retired || idle.length >= concurrency || !connection.keep()) connection.close()
      else idle.push(connection)
    },
    retire () {
      retired = true
      for (const connection of idle.splice(0)) connection.close()
    }
  }
}
