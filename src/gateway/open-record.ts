/**
 * Opens the record for one command, with or without a running gateway.
 *
 *   an external Redis                     is connected to
 *   the managed Redis, which runs         is shared with its gateway
 *   the managed Redis, which does not     is started for the duration of the command
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
  /** `read` finds a record or refuses; `write` creates one if there is none. */
  intent: 'read' | 'write'
  report: Report
}

export interface OpenRecord {
  store: RecordStore
  /** Sentences for the operator. */
  warnings: readonly string[]
  /** Stops a server that was started for the command. */
  close (): Promise<void>
}

/**
 * Opens the record.
 *
 * @throws RelayError NOT_FOUND if there is nothing to read; errors of `openStorage`
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

/** For reading, a replica or a server that accepts no writes is sufficient. */
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
