/**
 * Where refused callbacks are kept for a while: so that an operator can see
 * what the sender really sent, and release what was refused by mistake.
 *
 * Promises that what strangers send cannot fill the Redis that holds the
 * events: each budget is bounded by count and by bytes, the oldest go first,
 * and all of them expire. Only refused callbacks are ever here. Never decides
 * what is refused.
 */
import type { Budget, RefusedCallback } from '../accept/refused.js'
import { sortableId } from '../model/sortable-id.js'
import type { Keys } from '../redis/keys.js'
import { loadScript, runScript, type RedisClient } from '../redis/script.js'

/** What one budget may hold at most. */
export interface QuarantineLimits {
  entries: number
  /** Bodies taken together. */
  bytes: number
}

/** Unreadable and misdirected callbacks come from addresses that are allowed, so they are worth more room. */
export const QUARANTINE_LIMITS: Readonly<Record<Budget, QuarantineLimits>> = {
  unreadable: { entries: 1_000, bytes: 32 * 1024 * 1024 },
  misdirected: { entries: 1_000, bytes: 32 * 1024 * 1024 },
  denied: { entries: 500, bytes: 8 * 1024 * 1024 }
}

export interface QuarantineStoreOptions {
  /** One that fails fast. */
  redis: RedisClient
  keys: Keys
  /** How long entries are kept, milliseconds, ≥ 1; asked at each. */
  retentionMs: () => number
  limits?: Readonly<Record<Budget, QuarantineLimits>>
}

export interface QuarantineStore {
  /**
   * Keeps a refused callback.
   *
   * The entry is a HASH of `budget`, `reason`, `field` (empty for none),
   * `source`, `receivedAt` (epoch milliseconds), `contentType`, `size` (bytes)
   * and `body` (as received).
   *
   * @returns its id, `qtn_` and 26 characters that sort by arrival; `null` when
   *          the body alone is larger than the whole budget
   * @throws  what ioredis throws: it was then not kept, as far as we know
   */
  store (refused: RefusedCallback): Promise<string | null>
}

const script = loadScript(new URL('./quarantine.lua', import.meta.url))

/** Makes a store; it holds nothing itself, so several may share one Redis. */
export function createQuarantineStore (options: QuarantineStoreOptions): QuarantineStore {
  const { redis, keys, retentionMs, limits = QUARANTINE_LIMITS } = options
  return {
    async store (refused) {
      const { budget, body, receivedAt } = refused
      const { entries, bytes } = limits[budget]
      if (body.length > bytes) return null
      const id = `qtn_${sortableId(receivedAt)}`
      await runScript(redis, script, {
        keys: [keys.quarantine(budget), keys.quarantineSizes(budget), keys.quarantined(id)],
        args: [
          id, receivedAt, retentionMs(), entries, bytes, keys.quarantined(''), body.length, ...fieldsOf(refused)
        ]
      })
      return id
    }
  }
}

function fieldsOf (refused: RefusedCallback): Array<string | number | Buffer> {
  const { budget, reason, field, source, receivedAt, contentType, body } = refused
  return [
    'budget', budget, 'reason', reason, 'field', field ?? '', 'source', source, 'receivedAt', receivedAt,
    'contentType', contentType, 'size', body.length, 'body', body
  ]
}
