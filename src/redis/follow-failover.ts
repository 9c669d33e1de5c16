/**
 * Learns from the sentinels that another server is the primary now.
 *
 * The former primary may continue for ten seconds until it learns this
 * (measured), and accepts writes meanwhile that are lost. So its clients must
 * disconnect at once.
 */
import { Redis } from 'ioredis'
import { retryDelay } from './client.js'
import { Connector } from './connector.js'
import { parseNode, pemsOf, type RedisTarget } from './target.js'

/** Stops listening. */
export type Unfollow = () => void

/**
 * Listens on every sentinel, until it is stopped; a sentinel that is away is tried
 * again each second.
 *
 * @param switched  called once per sentinel that reports the change: the last
 *                  call comes when all of them name the new primary
 */
export function followFailovers (target: RedisTarget & { kind: 'sentinel' }, switched: () => void): Unfollow {
  const ears = target.nodes.map(node => {
    const ear = new Redis({
      ...parseNode(node, 26379),
      Connector,
      ...(target.tls === undefined ? {} : { tls: pemsOf(target.tls) }),
      retryStrategy: retryDelay,
      maxRetriesPerRequest: null,
      enableReadyCheck: false,
      disableClientInfo: true,
      connectTimeout: 3_000,
      disconnectTimeout: 200,
      keepAlive: 5_000
    })
    // A sentinel that is away reports nothing; the others do, and so do the connections themselves.
    ear.on('error', () => {})
    ear.on('message', (_channel, message: string) => {
      if (message.split(' ')[0] === target.name) switched()
    })
    ear.subscribe('+switch-master').catch(() => {})
    return ear
  })
  return () => { for (const ear of ears) ear.disconnect() }
}
