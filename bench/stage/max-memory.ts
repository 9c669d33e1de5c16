/**
 * How much memory a Redis of the bench may take: more than the gateway gives
 * its own, because a bench fills it on purpose and nothing else runs beside.
 */
import { machineMemory } from '../../src/redis/machine-memory.js'

const SHARE = 0.9

/** Megabytes. */
export function maxMemoryMb (): number {
  return Math.floor(machineMemory() * SHARE / (1024 * 1024))
}
