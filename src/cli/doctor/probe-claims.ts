/**
 * Whether repeats are recognised for as long as the configuration says, at the
 * rate at which callbacks have come.
 */
import type { Config } from '../../config/config.js'
import { formatDuration } from '../../config/duration.js'
import type { RememberedAnswer } from '../../admin/answers.js'
import { claimsNeed, claimsLimit, describeClaimsNeed, inUnits } from '../claims-need.js'
import { good, warning, type Finding } from './finding.js'

/** Without a gateway that tells, only what the configuration needs can be said. */
export function probeClaims (config: Config, remembered: RememberedAnswer | undefined): Finding[] {
  if (remembered === undefined) return [good('repeats', describeClaimsNeed(config))]
  const { perSecond, forgottenBefore, mostBytes } = remembered
  const need = claimsNeed(config, perSecond)
  const room = mostBytes ?? claimsLimit(config)
  const says = `at ${perSecond} callbacks a second, repeats are recognised for ${formatDuration(config.dedupe.windowMs)} (dedupe.window) with up to ${inUnits(need)} of Redis` +
    (room === null ? '' : `; ${inUnits(room)} may be used`)
  if (forgottenBefore !== null) return [warning('repeats', `those of callbacks from before ${forgottenBefore} are no longer recognised; ${says}`, NEXT_STEP)]
  return [room !== null && need > room ? warning('repeats', says, NEXT_STEP) : good('repeats', says)]
}

const NEXT_STEP = 'shorten dedupe.window, or raise dedupe.claimsMemory or the memory of Redis'
