/**
 * Records an attempt: the truth about it, before its job finishes.
 */
import { loadScript, runScript } from '../redis/script.js'
import type { AttemptResult } from '../model/work.js'
import { attemptFieldsOf } from './fields.js'
import type { RecordStore } from './store.js'

const RECORD_ATTEMPT = loadScript(new URL('./record-attempt.lua', import.meta.url))

/** Attempts kept of one delivery; older ones are forgotten, their numbers go on. */
export const MAX_ATTEMPTS_KEPT = 50

/**
 * Records one attempt and moves its delivery to the next state, atomically.
 * An attempt made for a generation that is over is recorded and changes
 * nothing else. To record the same attempt twice is harmless.
 *
 * @throws what ioredis throws when Redis is away
 */
export async function recordAttempt ({ redis, keys }: RecordStore, result: AttemptResult): Promise<void> {
  const { eventId, subscriber, attempt, next } = result
  await runScript(redis, RECORD_ATTEMPT, {
    keys: [keys.event(eventId), keys.subscriber(subscriber), keys.stats],
    args: [
    `{${keys.prefix}}:`, eventId, subscriber, result.generation,
    attempt.at,
    attemptFieldsOf(attempt),
    result.usesBudget ? '1' : '0',
    next.state,
    next.state === 'retrying' ? next.nextAttemptAt : '',
    attempt.statusCode ?? '',
    attempt.error ?? '',
    next.state === 'failed' && next.reason === 'gone' ? '1' : '',
    MAX_ATTEMPTS_KEPT
    ]
  })
}
