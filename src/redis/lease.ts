/**
 * A lease: what only one of all replicas does at a time. It is taken and
 * renewed in one step, by Redis's clock, also while Redis is full, and ends by
 * itself when its holder has died.
 */
import { randomUUID } from 'node:crypto'
import { loadScript, runScript, type RedisClient } from './script.js'

const LEASE = loadScript(new URL('./lease.lua', import.meta.url))

/** It is renewed when so much of it has passed: the rest is for a process that stands still. */
const RENEW_AFTER = 1 / 4

export interface Lease {
  /** Takes it, or renews it when it is time. @returns whether it is held; @throws what ioredis throws */
  hold (): Promise<boolean>
  /** Gives it back, so that another need not wait for its end. @throws what ioredis throws */
  release (): Promise<void>
}

/**
 * Makes a lease that nobody holds yet.
 *
 * @param ms  after a holder's last renewal another may take it
 */
export function createLease (redis: RedisClient, key: string, ms: number): Lease {
  const holder = randomUUID()
  let renewedAt = -Infinity

  async function ask (forMs: number): Promise<boolean> {
    return await runScript(redis, LEASE, { keys: [key], args: [holder, forMs] }) === 1
  }

  return {
    async hold () {
      const now = performance.now()
      if (now - renewedAt < ms * RENEW_AFTER) return true
      const isHeld = await ask(ms)
      renewedAt = isHeld ? now : -Infinity
      return isHeld
    },
    async release () {
      renewedAt = -Infinity
      await ask(0)
    }
  }
}
