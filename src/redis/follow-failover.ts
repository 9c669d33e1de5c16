/**
 * Hears from the sentinels that another server is the primary now.
 *
 * The one before it may go on for ten seconds before it is told (measured),
 * and takes writes meanwhile that nobody will ever see again. So whoever is
 * connected to it must let go at once, not when it is told.
 */
import { Redis } from 'ioredis'
import { retryDelay } from './client.js'
import { Connector } from './connector.js'
import { parseNode, pemsOf, type RedisTarget } from './target.js'

/** Stops listening. */
export type Unfollow = () => void

/**
 * Listens on every sentinel for as long as it takes; a sentinel that is away
 * is tried again each second.
 *
 * @param switched  called once per sentinel that tells of the change: the last
 *                  call comes when all of them would name the new primary
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
    // A sentinel that is away says nothing; the others do, and so do the connections themselves.
    ear.on('error', () => {})
    ear.on('message', (_channel, message: string) => {
      if (message.split(' ')[0] === target.name) switched()
    })
    ear.subscribe('+switch-master').catch(() => {})
    return ear
  })
  return () => { for (const ear of ears) ear.disconnect() }
}
