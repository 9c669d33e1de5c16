/**
 * Opens the record for one command, beside a running gateway or without one.
 *
 *   an external Redis                     is connected to
 *   the own server, which is running      is shared with its gateway
 *   the own server, which is not          is started for as long as the command takes
 */
import { existsSync } from 'node:fs'
import type { Config } from '../config/config.js'
import { RelayError } from '../model/errors.js'
import type { Report } from '../model/fact.js'
import type { RecordStore } from '../record/store.js'
import { checkRedis } from '../redis/check.js'
import { connectRedis, waitUntilReady } from '../redis/connect.js'
import { claimDataVersion, hasDataToRead } from '../redis/data-version.js'
import { keysOf } from '../redis/keys.js'
import { startedManagedRedis, type ManagedRedis } from '../redis/managed.js'
import { findRunningServer } from '../redis/running-server.js'
import { targetFrom, type RedisTarget } from '../redis/target.js'

/** A server that was just started reads its data first. */
const READY_WITHIN_MS = 60_000

export interface OpenRecordOptions {
  config: Config
  env: NodeJS.ProcessEnv
  /** `read` finds a record or refuses; `write` makes one where there is none. */
  intent: 'read' | 'write'
  report: Report
}

export interface OpenRecord {
  store: RecordStore
  /** Sentences for the operator. */
  warnings: readonly string[]
  /** Ends a server that was started for it. */
  close (): Promise<void>
}

/**
 * Opens the record.
 *
 * @throws RelayError NOT_FOUND when there is nothing to read; what `openStorage` throws
 */
export async function openRecord (options: OpenRecordOptions): Promise<OpenRecord> {
  const { config, report } = options
  const server = await reachServer(options)
  const connections = connectRedis({ target: server.target, report })
  const close = async (): Promise<void> => {
    await connections.close()
    await server.own?.stop()
  }
  const store = { redis: connections.blocking, keys: keysOf(config.redis.prefix) }
  try {
    await waitUntilReady(store.redis, READY_WITHIN_MS)
    return { store, warnings: await warningsFor(options, store), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A replica, or a server that takes no writes, is good enough to read from. */
async function warningsFor ({ intent, config }: OpenRecordOptions, { redis, keys }: RecordStore): Promise<string[]> {
  if (intent === 'read') {
    if (!await hasDataToRead(redis, keys)) throw nothing(`Redis holds nothing under the prefix "${keys.prefix}"`)
    return []
  }
  const { warnings } = await checkRedis(redis, config.redis)
  await claimDataVersion(redis, keys)
  return warnings
}

async function reachServer ({ config, env, intent, report }: OpenRecordOptions): Promise<{ target: RedisTarget, own: ManagedRedis | null }> {
  const external = targetFrom(config.redis) ?? await findRunningServer(config.dataDir)
  if (external !== null) return { target: external, own: null }
  if (intent === 'read' && !existsSync(config.dataDir)) throw nothing(`there is no ${config.dataDir}`)
  const own = await startedManagedRedis({ dataDir: config.dataDir, env, maxMemoryBytes: config.redis.maxMemoryBytes, report })
  return { target: own.target, own }
}

function nothing (why: string): RelayError {
  return new RelayError('NOT_FOUND', `${why}: is this the configuration of the gateway that accepted the callbacks?`)
}
