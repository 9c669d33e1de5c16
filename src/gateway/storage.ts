/**
 * Opens the record: starts or finds Redis, connects, and makes sure that it
 * can carry the promises before anything is accepted.
 */
import type { Config } from '../config/config.js'
import type { Report } from '../model/fact.js'
import type { RecordStore } from '../record/store.js'
import { checkRedis } from '../redis/check.js'
import { connectRedis, waitUntilReady, type Connections } from '../redis/connect.js'
import { claimDataVersion } from '../redis/data-version.js'
import { keysOf } from '../redis/keys.js'
import { startManagedRedis } from '../redis/managed.js'
import { targetFrom, type RedisTarget } from '../redis/target.js'
import type { Logger } from '../telemetry/log.js'
import type { Teardown } from './teardown.js'

/** How long a start waits for Redis before it gives up. */
const READY_WITHIN_MS = 10_000

export interface Storage {
  /** For accepting and for readers: fails fast. */
  hasty: RecordStore
  /** For delivering and for what runs in the background: waits for Redis. */
  patient: RecordStore
  connections: Connections
  /** Who runs the server. */
  kind: 'managed' | 'external'
}

export interface StorageOptions {
  config: Config
  env: NodeJS.ProcessEnv
  logger: Logger
  report: Report
  teardown: Teardown
}

/**
 * Opens Redis.
 *
 * @throws RelayError REDIS_MISSING, DATA_DIR_IN_USE, REDIS_UNAVAILABLE or REDIS_UNFIT
 */
export async function openStorage (options: StorageOptions): Promise<Storage> {
  const { config, logger, report, teardown } = options
  const external = targetFrom(config.redis)
  const target = external ?? await startServer(options)
  const connections = connectRedis({ target, report })
  teardown.push('redis connections', async () => { await connections.close() })
  await Promise.all([waitUntilReady(connections.hasty, READY_WITHIN_MS), waitUntilReady(connections.patient, READY_WITHIN_MS)])
  const { warnings } = await checkRedis(connections.hasty)
  for (const warning of warnings) logger.warn(warning)
  const keys = keysOf(config.redis.prefix)
  await claimDataVersion(connections.hasty, keys)
  return {
    hasty: { redis: connections.hasty, keys },
    patient: { redis: connections.patient, keys },
    connections,
    kind: external === null ? 'managed' : 'external'
  }
}

async function startServer ({ config, env, logger, report, teardown }: StorageOptions): Promise<RedisTarget> {
  const server = await startManagedRedis({ dataDir: config.dataDir, env, maxMemoryBytes: config.redis.maxMemoryBytes, report })
  teardown.push('redis server', server.stop)
  for (const warning of server.warnings) logger.warn(warning)
  logger.info({ dataDir: config.dataDir, serverPid: server.pid(), adopted: server.adopted }, 'redis server is ours')
  return server.target
}
