/**
 * One client of Redis, made for one role: how long it tries, how soon it gives
 * up, and how it finds its way back after a restart, a failover or a cut.
 *
 * The numbers are here and nowhere else.
 */
import { Redis, Cluster, type RedisOptions } from 'ioredis'
import { isNotPrimary } from '../model/redis-away.js'
import { calmed } from './cluster-client.js'
import { Connector, ConnectorBySentinel, connectorsWith } from './connector.js'
import type { Latch } from './latch.js'
import type { RedisClient } from './script.js'
import { parseNode, parseRedisUrl, pemsOf, type RedisAccess, type RedisTarget } from './target.js'

/**
 * `fail-fast` accepts and reads: a command fails within a second rather than wait.
 * `accepting` accepts where replicas have to confirm, and fails as fast.
 * `checking` checks Redis before the others use it, and fails as fast.
 * `blocking` works the queue: a command waits for as long as Redis is away.
 * `pub-sub` listens on channels and takes no other command.
 */
export type ClientRole = 'fail-fast' | 'accepting' | 'checking' | 'blocking' | 'pub-sub'

const FAILING_FAST: ReadonlySet<ClientRole> = new Set(['fail-fast', 'accepting', 'checking'])

/** Replies keep the driver's default shapes. */
type Options = Omit<RedisOptions, 'replyMapping'>

/** No wait between two tries to reconnect is longer, milliseconds. */
const MAX_RETRY_MS = 1_000
const RETRY_STEP_MS = 25

/** An error makes a client reconnect no more often than this, milliseconds. */
const RECONNECT_ON_ERROR_EVERY_MS = 1_000

/**
 * Begins to connect and returns at once; it keeps trying until disconnected.
 *
 * @param latch   opens no connection before this is lifted; left out, at once
 * @throws RelayError CONFIG_INVALID for an address that cannot be read
 */
export function createClient (target: RedisTarget, role: ClientRole, latch: Latch | null = null): RedisClient {
  const connectors = latch === null ? { Connector, ConnectorBySentinel } : connectorsWith(latch)
  const options = { ...optionsOf(role), Connector: connectors.Connector }
  switch (target.kind) {
    case 'socket': return new Redis({ ...options, path: target.path })
    case 'single': return new Redis({ ...options, ...singleOptions(target) })
    case 'sentinel': return new Redis({ ...options, ...sentinelOptions(target), Connector: connectors.ConnectorBySentinel })
    case 'cluster': return createCluster(target, options)
  }
}

/** The wait before the `times`-th try to reconnect, milliseconds: 25, 50, 75, … at most 1,000. */
export function retryDelay (times: number): number {
  return Math.min(times * RETRY_STEP_MS, MAX_RETRY_MS)
}

function optionsOf (role: ClientRole): Options {
  const failsFast = FAILING_FAST.has(role)
  return {
    connectionName: `fotor-relay-${role}`,
    retryStrategy: retryDelay,
    reconnectOnError: reconnectAfterFailover(),
    connectTimeout: 3_000,
    disconnectTimeout: 200,
    keepAlive: 5_000,
    maxLoadingRetryTime: 250,
    // Data must arrive within this time of a command, or the connection is taken for cut.
    // On the blocking connection, longer than any command of the queue that blocks.
    socketTimeout: failsFast ? 5_000 : 30_000,
    ...(failsFast
      ? { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 1_000 }
      : { maxRetriesPerRequest: null })
  }
}

/**
 * Reconnects, but does not send again: the command may have been part of a
 * transaction, and its caller knows what to do.
 */
function reconnectAfterFailover (): (error: Error) => boolean {
  let lastAt = -Infinity
  return error => {
    if (!isNotPrimary(error) || performance.now() - lastAt < RECONNECT_ON_ERROR_EVERY_MS) return false
    lastAt = performance.now()
    return true
  }
}

function accessOptions ({ username, password, tls }: RedisAccess): Options {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: pemsOf(tls) })
  }
}

function singleOptions (target: RedisTarget & { kind: 'single' }): Options {
  const { path, host, port, db, username, password, encrypted } = parseRedisUrl(target.url)
  return {
    ...(path === null ? { host, port } : { path }),
    db,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(encrypted ? { tls: {} } : {}),
    ...accessOptions(target)
  }
}

function sentinelOptions (target: RedisTarget & { kind: 'sentinel' }): Options {
  const tls = target.tls
  return {
    name: target.name,
    sentinels: target.nodes.map(node => parseNode(node, 26379)),
    sentinelRetryStrategy: retryDelay,
    sentinelCommandTimeout: 1_000,
    ...accessOptions(target),
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: pemsOf(tls) })
  }
}

function createCluster (target: RedisTarget & { kind: 'cluster' }, options: Options): Cluster {
  const { retryStrategy: _, enableOfflineQueue = true, ...nodeOptions } = options
  return calmed(new Cluster(target.nodes.map(node => parseNode(node, 6379)), {
    enableOfflineQueue,
    clusterRetryStrategy: retryDelay,
    slotsRefreshInterval: 5_000,
    redisOptions: { ...nodeOptions, ...accessOptions(target) },
    // Certificates name hosts: with TLS, do not turn them into addresses first.
    ...(target.tls === undefined ? {} : { dnsLookup: (host, found) => { found(null, host) } })
  }))
}
