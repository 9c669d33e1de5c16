/**
 * How many callbacks one client address may make, counted here or, shared by
 * the replicas, in Redis. Which of the two, how many and in what time is asked
 * of the policy at every request.
 *
 * Fails open: a limit that cannot be counted, or not soon, refuses nobody.
 */
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RedisClient } from '../redis/script.js'
import { within } from '../time/within.js'

/** Where the replicas count together. */
export interface SharedCounter {
  /** One that fails fast. */
  redis: RedisClient
  /** What each key begins with; the client address follows. */
  keyPrefix: string
  /** Whether it is known to answer nobody now; then each process counts alone. */
  isAway: () => boolean
  /** How long it is waited for, milliseconds; {@link COUNT_WITHIN_MS} when left out. */
  withinMs?: number
}

/** Redis is waited for no longer, milliseconds. */
export const COUNT_WITHIN_MS = 250

/** What holds for one request. */
export interface RateRule {
  /** The client's address. */
  source: string
  max: number
  perMs: number
  store: 'local' | 'redis'
}

/** Counts a request. @returns whole seconds to wait, ≥ 1, or `null` when it may pass */
export type CheckRate = (request: FastifyRequest) => Promise<number | null>

/**
 * Registers the counters on an app; they count nothing by themselves.
 *
 * @param ruleOf  what holds for a request, asked when it is checked
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
  // Each in a scope of its own, because one scope has one store.
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
    // A callback must not wait for a Redis that is frozen.
    const result = isShared ? await within(shared.withinMs ?? COUNT_WITHIN_MS, counts.redis!(request), () => null) : await counts.local!(request)
    if (result === null || result.isAllowed || !result.isExceeded) return null
    return Math.max(1, result.ttlInSeconds)
  }
}
