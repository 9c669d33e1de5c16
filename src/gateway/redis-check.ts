/**
 * Checks Redis before it is used: nothing of ours reaches a Redis that has not
 * been checked. The gateway's listeners are open meanwhile.
 *
 *   all is well                                              the gateway starts
 *   Redis must not be used                                   the start fails, and says why
 *   nobody takes connections at its address, the first time  the start fails: the address may be wrong
 *   it is away in any other way                              the gateway starts, and keeps callbacks; the check goes on
 *
 * Without a spool there is nothing to start for: any Redis that is away fails it.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config/config.js'
import { RelayError } from '../model/errors.js'
import { checkRedis } from '../redis/check.js'
import { unavailable, waitUntilReady, type Connections } from '../redis/connect.js'
import { claimDataVersion } from '../redis/data-version.js'
import type { Keys } from '../redis/keys.js'
import type { Latch } from '../redis/latch.js'
import type { ManagedRedis } from '../redis/managed.js'
import type { RedisClient } from '../redis/script.js'
import type { RedisTarget } from '../redis/target.js'
import type { Logger } from '../telemetry/log.js'
import { unlessAborted, within } from '../time/within.js'
import { isKnownRedis, isOutage, isReachable, rememberRedis } from './known-redis.js'

/** How long a start waits for Redis before it gives up, or goes on without. */
const READY_WITHIN_MS = 10_000
/** The same for a Redis that was used before: it will be back. */
const READY_SOON_MS = 2_000
/** Between two questions to a Redis that is away. */
const ASK_AGAIN_MS = 250

export interface RedisCheckOptions {
  config: Config
  /** Where callbacks can be kept while Redis is away; `null` when they cannot. */
  spoolDir: string | null
  /** Aborted: the start is given up, and what it waits for with it. */
  signal: AbortSignal
  logger: Logger
  target: RedisTarget
  /** `null` for an external Redis. */
  server: ManagedRedis | null
  connections: Connections
  keys: Keys
  /** Lifted when Redis may be used. */
  latch: Latch
}

export interface RedisCheck {
  /**
   * Waits for Redis as long as a start should: two seconds for one that was used before, else ten.
   *
   * @returns whether it is there; if not, the check goes on
   * @throws  RelayError DATA_DIR_IN_USE, REDIS_UNAVAILABLE or REDIS_UNFIT; the reason of the signal
   */
  done: () => Promise<boolean>
  /** Checks no more. Ends what waits for a Redis that was never used, since it waits for nothing. Idempotent; never rejects. */
  stop: () => Promise<void>
}

/** Begins to connect for it. */
export function createRedisCheck (options: RedisCheckOptions): RedisCheck {
  const { config, spoolDir, signal, logger, target, server, connections, keys, latch } = options
  const client = connections.checking()
  const data = { target, prefix: config.redis.prefix }
  const isKnown = spoolDir !== null && isKnownRedis(spoolDir, data)
  const withinMs = isKnown ? READY_SOON_MS : READY_WITHIN_MS
  const stopped = new AbortController()

  async function check (): Promise<void> {
    const { warnings } = await checkRedis(client, config.redis)
    await claimDataVersion(client, keys)
    for (const warning of warnings) logger.warn(warning)
    if (spoolDir !== null) await rememberRedis(spoolDir, data).catch((error: unknown) => { tellUnwritable(logger, error) })
    latch.lift()
    await connections.end(client)
  }

  async function firstCheck (): Promise<void> {
    await waitUntilReady(client, withinMs)
    await untilChecked(check, { withinMs, signal, client })
    const { failFast, accepting, blocking } = connections
    await Promise.all([failFast, accepting, blocking].map(async client => { await waitUntilReady(client, withinMs) }))
  }

  async function keepChecking (): Promise<void> {
    const checkAndTell = toldOnce(check, logger)
    while (!latch.isLifted() && !stopped.signal.aborted) {
      await wait(ASK_AGAIN_MS, undefined, { signal: stopped.signal }).catch(() => {})
      await checkAndTell().catch(() => {}) // told
    }
  }

  return {
    async done () {
      try {
        if (server !== null) await serverUp(server, { withinMs: spoolDir === null ? Infinity : withinMs, signal })
        await unlessAborted(signal, firstCheck())
        return true
      } catch (error) {
        const isAway = isOutage(error) && (isKnown || latch.isLifted() || isReachable(error))
        if (signal.aborted || spoolDir === null || !isAway) throw error
        logger.warn({ err: error }, 'Redis is away: callbacks go to the spool until it is back')
        void keepChecking()
        return false
      }
    },
    async stop () {
      stopped.abort()
      if (!latch.isLifted()) await connections.close()
    }
  }
}

/** @throws RelayError REDIS_UNAVAILABLE when our own server still comes up by then, or what keeps it from coming up */
async function serverUp (server: ManagedRedis, { withinMs, signal }: { withinMs: number, signal: AbortSignal }): Promise<void> {
  const isUp = server.up.then(() => true)
  const isInTime = await unlessAborted(signal, withinMs === Infinity ? isUp : within(withinMs, isUp, () => false))
  if (!isInTime) throw new RelayError('REDIS_UNAVAILABLE', 'the Redis server of this gateway is still coming up', { lastError: null })
}

/** A Redis that is there and stands still for a moment is asked again, as one that is not there yet is waited for. */
async function untilChecked (check: () => Promise<void>, { withinMs, signal, client }: { withinMs: number, signal: AbortSignal, client: RedisClient }): Promise<void> {
  const endsAt = performance.now() + withinMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (signal.aborted || !isOutage(error)) throw error
      if (performance.now() >= endsAt) throw unavailable(client, { timeoutMs: withinMs, error: (error as Error).message })
      await wait(ASK_AGAIN_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** It is tried again and again; what it says is logged when it is news. */
function toldOnce (check: () => Promise<void>, logger: Logger): () => Promise<void> {
  let told = ''
  return async () => {
    try {
      await check()
    } catch (error) {
      const { message } = error as Error
      if (message !== told && !isOutage(error)) logger.error({ err: error }, 'Redis is back, but it cannot be used: callbacks go to the spool')
      told = message
      throw error
    }
  }
}

function tellUnwritable (logger: Logger, error: unknown): void {
  logger.warn({ err: error }, 'the spool cannot be written to: callbacks will be refused while Redis is away')
}
