/**
 * The connections to one subscriber: lanes that carry one request at a time
 * and stay open for the next.
 *
 * Each lane is an undici `Client`, hence one socket, owned by one request
 * until it is given back. So whoever gives up on a request can close exactly
 * its socket, be it still connecting. (A `Pool` cannot promise that: after an
 * abort it connects again at once, to the very host that hangs.)
 *
 * Never queues a request: how many are under way is the caller's to bound.
 * Keeps at most as many lanes for later as the subscriber has concurrency.
 */
import { buildConnector, Client } from 'undici'
import { Socket, type LookupFunction } from 'node:net'
import type { ClientTls } from '../model/subscriber.js'

export interface Lane {
  client: Client
  /** Closes the socket at once and for good, connected or not. Never throws. */
  drop (): void
}

export interface Lanes {
  /** A lane that is the caller's alone until {@link giveBack} or its `drop`. Idle ones first, the warmest first. */
  take (): Lane
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
}

/**
 * Makes the lanes of one subscriber. Connects nowhere until one is used.
 *
 * @throws never; PEM texts that OpenSSL refuses fail each connection, with its code
 */
export function createLanes (options: LanesOptions): Lanes {
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    lookup: options.lookup,
    rejectUnauthorized: true,
    ...options.tls
  })
  const idle: Lane[] = []
  let retired = false

  return {
    take: () => idle.pop() ?? openLane(options.origin, connect),
    giveBack (lane) {
      if (retired || idle.length >= options.keep) lane.drop()
      else idle.push(lane)
    },
    retire () {
      retired = true
      for (const lane of idle.splice(0)) lane.drop()
    }
  }
}

function openLane (origin: string, connect: buildConnector.connector): Lane {
  let socket: unknown
  const client = new Client(origin, {
    connect: (options, callback) => { socket = connect(options, callback) },
    // The deadline of the request is the only clock (see exchange.ts).
    headersTimeout: 0,
    bodyTimeout: 0
  })
  return {
    client,
    drop () {
      client.destroy(() => {})
      // The client does not know a socket that is still connecting; the error clears its timer.
      if (socket instanceof Socket) socket.destroy(new Error('the request was given up'))
    }
  }
}
