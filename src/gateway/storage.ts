/**
 * Opens the record: starts or finds Redis, connects, and makes sure that it
 * can carry the promises before anything is accepted.
 *
 * A Redis that was used before and is away now does not keep a gateway from
 * starting that can keep callbacks in a spool: it is checked when it is back.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config/config.js'
import { RelayError } from '../model/errors.js'
import type { Report } from '../model/fact.js'
import { isRedisAway } from '../model/redis-away.js'
import type { RecordStore } from '../record/store.js'
import { checkRedis } from '../redis/check.js'
import { confirmedBy, type ConfirmWrite } from '../redis/confirm.js'
import { connectRedis, unavailable, waitUntilReady, type Connections } from '../redis/connect.js'
import { claimDataVersion } from '../redis/data-version.js'
import { keysOf, type Keys } from '../redis/keys.js'
import { startManagedRedis, type ManagedRedis } from '../redis/managed.js'
import { probeWrites } from '../redis/probe.js'
import { targetFrom, type RedisTarget } from '../redis/target.js'
import type { Logger } from '../telemetry/log.js'
import { unlessAborted, within } from '../time/within.js'
import { isKnownRedis, isOutage, rememberRedis, type RedisData } from './known-redis.js'
import type { Teardown } from './teardown.js'

/** How long a start waits for Redis before it gives up. */
const READY_WITHIN_MS = 10_000
/** The same when it can take callbacks without: each second of waiting turns some away. */
const READY_SOON_MS = 2_000
/** Between two questions to a Redis that stands still. */
const ASK_AGAIN_MS = 250

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
  /** Checks a Redis that was away at the start; `null` when that has been done. Rejects while it must not be used. */
  verify: (() => Promise<void>) | null
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
 * Opens Redis. With a spool, and a Redis that was used before, it waits two
 * seconds at most, whatever Redis does.
 *
 * @throws RelayError REDIS_MISSING, DATA_DIR_IN_USE, REDIS_UNAVAILABLE or REDIS_UNFIT
 */
export async function openStorage (options: StorageOptions): Promise<Storage> {
  const { config, report, teardown } = options
  const external = targetFrom(config.redis)
  const server = external === null ? await startServer(options) : null
  const target = external ?? server!.target
  const connections = connectRedis({ target, report, isConfirmed: config.redis.waitReplicas > 0 })
  teardown.push('redis connections', async () => { await connections.close() })
  const keys = keysOf(config.redis.prefix)
  const confirmed = confirmedBy(connections.accepting, { replicas: config.redis.waitReplicas, key: keys.events })
  return {
    failFast: { redis: connections.failFast, keys },
    accepting: { redis: connections.accepting, keys },
    blocking: { redis: connections.blocking, keys },
    connections,
    confirmed,
    probe: async () => await confirmed(async () => { await probeWrites(connections.accepting, keys) }),
    kind: external === null ? 'managed' : 'external',
    verify: await verifyNowOrLater(options, { target, server, connections, keys })
  }
}

interface RedisOpened { target: RedisTarget, server: ManagedRedis | null, connections: Connections, keys: Keys }

/** @returns how to do it later, when Redis is away and the gateway may start all the same */
async function verifyNowOrLater ({ config, spoolDir, signal, logger }: StorageOptions, { target, server, connections, keys }: RedisOpened): Promise<Storage['verify']> {
  const data = { target, prefix: config.redis.prefix }
  const canWait = spoolDir !== null && isKnownRedis(spoolDir, data)

  async function verify (): Promise<void> {
    const { warnings } = await checkRedis(connections.failFast, config.redis)
    await claimDataVersion(connections.failFast, keys)
    for (const warning of warnings) logger.warn(warning)
    if (spoolDir !== null) await remember(spoolDir, data, logger)
  }

  try {
    if (server !== null) await serverUp(server, canWait ? READY_SOON_MS : Infinity, signal)
    const withinMs = canWait ? READY_SOON_MS : READY_WITHIN_MS
    await unlessAborted(signal, Promise.all([connections.failFast, connections.accepting, connections.blocking].map(async client => { await waitUntilReady(client, withinMs) })))
    await untilVerified(verify, { withinMs, signal, connections })
    return null
  } catch (error) {
    if (signal.aborted || !canWait || !isOutage(error)) throw error
    logger.warn({ err: error }, 'Redis is away: callbacks go to the spool until it is back')
    return toldOnce(verify, logger)
  }
}

/** @throws RelayError REDIS_UNAVAILABLE when our own server still reads its data by then, or what keeps it from coming up */
async function serverUp (server: ManagedRedis, withinMs: number, signal: AbortSignal): Promise<void> {
  const isUp = server.up.then(() => true)
  const isInTime = await unlessAborted(signal, withinMs === Infinity ? isUp : within(withinMs, isUp, () => false))
  if (!isInTime) throw new RelayError('REDIS_UNAVAILABLE', 'the Redis server of this gateway is still coming up')
}

/** A Redis that is there and stands still for a moment is asked again, as one that is not there yet is waited for. */
async function untilVerified (verify: () => Promise<void>, { withinMs, signal, connections }: { withinMs: number, signal: AbortSignal, connections: Connections }): Promise<void> {
  const endsAt = performance.now() + withinMs
  for (;;) {
    try {
      return await unlessAborted(signal, verify())
    } catch (error) {
      if (signal.aborted || !isRedisAway(error)) throw error
      if (performance.now() >= endsAt) throw unavailable(connections.failFast, { timeoutMs: withinMs, error: (error as Error).message })
      await wait(ASK_AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** It is tried again and again; what it says is logged when it is news. */
function toldOnce (verify: () => Promise<void>, logger: Logger): () => Promise<void> {
  let told = ''
  return async () => {
    try {
      await verify()
    } catch (error) {
      const { message } = error as Error
      if (message !== told && !isOutage(error)) logger.error({ err: error }, 'Redis is back, but it cannot be used: callbacks go to the spool')
      told = message
      throw error
    }
  }
}

async function remember (spoolDir: string, data: RedisData, logger: Logger): Promise<void> {
  try {
    await rememberRedis(spoolDir, data)
  } catch (error) {
    logger.warn({ err: error }, 'the spool cannot be written to: callbacks will be refused while Redis is away')
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
