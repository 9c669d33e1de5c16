/**
 * How much memory the claims of `dedupe.window` need.
 */
import type { Config } from '../config/config.js'
import { formatDuration } from '../config/duration.js'
import { formatSize } from '../config/size.js'
import { CLAIM_BYTES, CLAIMS_KEPT_WINDOWS, CLAIMS_PART } from '../model/dedupe.js'

type Settings = Pick<Config, 'dedupe' | 'redis'>

/** Maximum bytes of claims at this rate of callbacks, once all their events have been deleted. */
export function claimsNeed ({ dedupe: { windowMs } }: Settings, perSecond: number): number {
  return Math.ceil(perSecond * windowMs / 1_000 * CLAIMS_KEPT_WINDOWS) * CLAIM_BYTES
}

/** Maximum bytes of claims, `null` if only Redis knows. */
export function claimsLimit ({ dedupe, redis }: Settings): number | null {
  if (dedupe.claimsMemoryBytes !== null) return dedupe.claimsMemoryBytes
  return redis.maxMemoryBytes === null ? null : Math.floor(redis.maxMemoryBytes * CLAIMS_PART)
}

/** One sentence for the reader of a configuration: window times rate, and how much of that fits. */
export function describeClaimsNeed (settings: Settings): string {
  const each = claimsNeed(settings, 1)
  const room = claimsLimit(settings)
  return `to recognise duplicates for ${formatDuration(settings.dedupe.windowMs)} (dedupe.window) takes up to ${inUnits(each)} of Redis for each callback a second, ` +
    `${CLAIM_BYTES} bytes a callback; ` + (room === null
    ? 'a quarter of its maxmemory may be used for it (dedupe.claimsMemory)'
    : `${inUnits(room)} may be used for it, enough for ${Math.floor(room / each * 10) / 10} a second`)
}

/** Rounded up so that it is easy to read. */
export function inUnits (bytes: number): string {
  const unit = bytes >= 10 * 1024 ** 2 ? 1024 ** 2 : 1024
  return formatSize(Math.ceil(bytes / unit) * unit)
}
