/**
 * What may be sent to subscribers now: holds, concurrency and rate limits, over
 * all replicas. A function for scripts, because it is asked in the step in
 * which a job is taken; what it takes and returns stands at its top.
 */
import { loadRecordScript } from './lua.js'

export const LIMITS = loadRecordScript(new URL('./limits.lua', import.meta.url))
