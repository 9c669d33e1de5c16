/**
 * Access to the record, for everything that reads or writes it.
 */
import type { Keys } from '../redis/keys.js'
import type { RedisClient } from '../redis/script.js'

export interface RecordStore {
  redis: RedisClient
  keys: Keys
}
