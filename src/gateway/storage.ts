/**
 * Opens the record: starts or finds Redis, and begins to connect.
 *
 * Waits for nothing that Redis does, so that the listeners can be open before
 * it is there. What is asked of it meanwhile fails or waits, as in any outage;
 * nothing reaches it before it has been checked (see `redis-check`).
 */
import type { Config } from '../config/config.js'
import type { Report } from '../model/fact.js'
import type { RecordStore } from '../record/store.js'
import { confirmedBy, type ConfirmWrite } from '../redis/confirm.js'
import { connectRedis, type Connections } from '../redis/connect.js'
import { keysOf } from '../redis/keys.js'
import { Latch } from '../redis/latch.js'
import { startManagedRedis, type ManagedRedis } from '../redis/managed.js'
import { probeWrites } from '../redis/probe.js'
import { targetFrom } from '../redis/target.js'
import type { Logger } from '../telemetry/log.js'
import { createRedisCheck, type RedisCheck } from './redis-check.js'
import type { Teardown } from './teardown.js'

export interface Storage {
  /** For readers: fails fast. */
  failFast: RecordStore
  /** For accepting: fails fast; waits for replicas, where they have to confirm, without keeping readers. */
  accepting: RecordStore
  /** For delivering and for what runs in the background: waits for Redis. */
  blocking: RecordStore
  connections: Connections
  /** For what is written by `accepting` and acknowledged. */
  confirmed: ConfirmWrite
  /** Rejects when nothing would be acknowledged now. */
  probe: () => Promise<void>
  /** Who runs the server. */
  kind: 'managed' | 'external'
  check: RedisCheck
}

export interface StorageOptions {
  config: Config
  /** Where callbacks can be kept while Redis is away; `null` when they cannot. */
  spoolDir: string | null
  env: NodeJS.ProcessEnv
  /** Aborted: the start is given up, and what it waits for with it. */
  signal: AbortSignal
  logger: Logger
  report: Report
  teardown: Teardown
}

/**
 * Opens Redis.
 *
 * @throws RelayError REDIS_MISSING, DATA_DIR_IN_USE or CONFIG_INVALID
 */
export async function openStorage (options: StorageOptions): Promise<Storage> {
  const { config, report, teardown } = options
  const { prefix, waitReplicas } = config.redis
  const external = targetFrom(config.redis)
  const server = external === null ? await startServer(options) : null
  const target = external ?? server!.target
  const latch = new Latch()
  const connections = connectRedis({ target, report, isConfirmed: waitReplicas > 0, latch })
  teardown.push('redis connections', async () => { await connections.close() })
  const keys = keysOf(prefix)
  const confirmed = confirmedBy(connections.accepting, { replicas: waitReplicas, key: keys.events })
  return {
    failFast: { redis: connections.failFast, keys },
    accepting: { redis: connections.accepting, keys },
    blocking: { redis: connections.blocking, keys },
    connections,
    confirmed,
    probe: async () => await confirmed(async () => { await probeWrites(connections.accepting, keys) }),
    kind: external === null ? 'managed' : 'external',
    check: createRedisCheck({ ...options, target, server, connections, keys, latch })
  }
}

async function startServer ({ config, env, logger, report, teardown }: StorageOptions): Promise<ManagedRedis> {
  const { dataDir, redis: { maxMemoryBytes, keepRunning } } = config
  const server = await startManagedRedis({ dataDir, env, maxMemoryBytes, keepRunning, report })
  teardown.push('redis server', server.stop)
  for (const warning of server.warnings) logger.warn(warning)
  server.up.then(({ adopted, pid }) => { logger.info({ dataDir, serverPid: pid, adopted }, 'own redis server is running') }, () => {})
  return server
}
