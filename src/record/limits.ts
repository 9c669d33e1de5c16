/**
 * What may be sent to subscribers now: holds, concurrency and rate limits, over
 * all replicas. A function for scripts, because the step in which a job is taken
 * calls it; its head says what it takes and returns.
 */
import { loadRecordScript } from './lua.js'

export const LIMITS = loadRecordScript(new URL('./limits.lua', import.meta.url))
