/**
 * Checks whether duplicates are recognised for all of `dedupe.window`, at the
 * rate of callbacks so far.
 */
import type { Config } from '../../config/config.js'
import { formatDuration } from '../../config/duration.js'
import type { RememberedAnswer } from '../../admin/answers.js'
import { claimsNeed, claimsLimit, describeClaimsNeed, inUnits } from '../claims-need.js'
import { good, warning, type Finding } from './finding.js'

/** Without an answer of the gateway, it says only what the configuration needs. */
export function probeClaims (config: Config, remembered: RememberedAnswer | undefined): Finding[] {
  if (remembered === undefined) return [good('duplicates', describeClaimsNeed(config))]
  const { perSecond, forgottenBefore, mostBytes } = remembered
  const need = claimsNeed(config, perSecond)
  const room = mostBytes ?? claimsLimit(config)
  const says = `at ${perSecond} callbacks a second, duplicates are recognised for ${formatDuration(config.dedupe.windowMs)} (dedupe.window) with up to ${inUnits(need)} of Redis` +
    (room === null ? '' : `; ${inUnits(room)} may be used`)
  if (forgottenBefore !== null) return [warning('duplicates', `those of callbacks from before ${forgottenBefore} are no longer recognised; ${says}`, NEXT_STEP)]
  return [room !== null && need > room ? warning('duplicates', says, NEXT_STEP) : good('duplicates', says)]
}

const NEXT_STEP = 'shorten dedupe.window, or raise dedupe.claimsMemory or the memory of Redis'
