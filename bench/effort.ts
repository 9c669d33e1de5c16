/**
 * One run of a contestant: how fast it was, and what each unit of its work
 * cost in CPU time.
 */
import { ratioOf, resultOf, type Result } from './result.js'
import type { CpuUs } from './stage/cpu.js'

export interface Effort {
  perSecond: number
  /** Per unit, microseconds; `NaN` where the system does not tell. */
  cpuUs: CpuUs
}

/** What was used between two readings of a meter, per unit. */
export function costPer (units: number, before: CpuUs, after: CpuUs): CpuUs {
  return { process: (after.process - before.process) / units, redis: (after.redis - before.redis) / units }
}

/** How to call what was compared. */
export interface Contest {
  /** `accept`, `deliver`. */
  measure: string
  /** `event`, `delivery`. */
  one: string
}

/** CPU time of both in both places, and the ratios; nothing where the system does not tell. */
export function costResults ({ measure, one }: Contest, ours: Effort[], bare: Effort[]): Result[] {
  return (['process', 'redis'] as const).flatMap(place => {
    const [own, theirs] = [ours, bare].map(efforts => efforts.map(({ cpuUs }) => cpuUs[place])) as [number[], number[]]
    if ([...own, ...theirs].some(Number.isNaN)) return []
    const where = place === 'process' ? 'the process' : 'Redis'
    const cost = (name: string, whose: string, runs: number[]): Result => resultOf({
      measure: `${measure}.${name}-${place}-cpu`, says: `CPU of ${where} per ${one}: ${whose}`, unit: 'µs', better: 'less', runs
    })
    return [
      cost('own', 'the gateway', own),
      cost('bare', 'its ceiling', theirs),
      // Turned round, so that here too more is better and 1 is as cheap as the ceiling.
      ratioOf({ measure: `${measure}.${place}-cpu-of-bare`, says: `its ceiling's CPU of ${where} per ${one}, of the gateway's` }, theirs, own)
    ]
  })
}
