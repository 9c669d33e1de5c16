/** What a process has cost: its own CPU-seconds and those of every process that it, or one of those, has waited for. */
import { readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second. */
const TICKS_A_SECOND = 100

/** @param pid  of a process that lives; where the system keeps no such count, only of this one, and without its children */
export function cpuSecondsOf (pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_A_SECOND
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
}
