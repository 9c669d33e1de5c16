/**
 * The rate limit of each client address, counted in this process or, shared by
 * the replicas, in Redis. The policy decides for each request where to count,
 * how many and in what period.
 *
 * Fails open: if a request cannot be counted in time, it passes.
 */
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RedisClient } from '../redis/script.js'
import { within } from '../time/within.js'

/** How the replicas count together. */
export interface SharedCounter {
  /** A fail-fast connection. */
  redis: RedisClient
  /** The prefix of each key; the client address follows. */
  keyPrefix: string
  /** Whether Redis is known to be away; then each process counts alone. */
  isAway: () => boolean
  /** How long to wait for Redis, milliseconds; default {@link COUNT_WITHIN_MS}. */
  withinMs?: number
}

/** Maximum wait for Redis, milliseconds. */
export const COUNT_WITHIN_MS = 250

/** The rule for one request. */
export interface RateRule {
  /** The client's address. */
  source: string
  max: number
  perMs: number
  store: 'local' | 'redis'
}

/** Counts a request. @returns whole seconds to wait, ≥ 1, or `null` if it may pass */
export type CheckRate = (request: FastifyRequest) => Promise<number | null>

/**
 * Registers the counters on an app; they count only when called.
 *
 * @param ruleOf  the rule for a request, read when the request is checked
 * @returns       usable once the app is ready
 */
export function addRateLimit (
  app: FastifyInstance, ruleOf: (request: FastifyRequest) => RateRule, shared: SharedCounter | undefined
): CheckRate {
  type Count = ReturnType<FastifyInstance['createRateLimit']>
  const counts: { local?: Count, redis?: Count } = {}
  const settings = {
    global: false,
    skipOnError: true,
    keyGenerator: (request: FastifyRequest) => ruleOf(request).source,
    max: (request: FastifyRequest) => ruleOf(request).max,
    timeWindow: (request: FastifyRequest) => ruleOf(request).perMs
  }
  // Each in its own scope, because one scope has one store.
  app.register(async scope => {
    await scope.register(rateLimit, settings)
    counts.local = scope.createRateLimit()
  })
  if (shared !== undefined) {
    app.register(async scope => {
      await scope.register(rateLimit, { ...settings, redis: shared.redis, nameSpace: shared.keyPrefix })
      counts.redis = scope.createRateLimit()
    })
  }

  return async request => {
    const isShared = ruleOf(request).store === 'redis' && shared?.isAway() === false
    // A callback must not wait for a frozen Redis.
    const result = isShared ? await within(shared.withinMs ?? COUNT_WITHIN_MS, counts.redis!(request), () => null) : await counts.local!(request)
    if (result === null || result.isAllowed || !result.isExceeded) return null
    return Math.max(1, result.ttlInSeconds)
  }
}
