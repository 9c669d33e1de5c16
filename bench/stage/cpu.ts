/**
 * CPU time of a process and of its Redis: what something costs, however many
 * others want the cores meanwhile.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { readInfo } from './redis.js'

/** Used so far, microseconds. `NaN` where the system does not tell. */
export interface CpuUs { process: number, redis: number }

const US_PER_TICK = 1e6 / ticksPerSecond()

function ticksPerSecond (): number {
  try { return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) } catch { return NaN }
}

/** A meter of one process and the Redis that works for it. */
export function cpuMeter (pid: number, client: Redis): () => Promise<CpuUs> {
  return async () => ({
    process: processTicks(pid) * US_PER_TICK,
    redis: (await readInfo(client, 'cpu', 'used_cpu_user') + await readInfo(client, 'cpu', 'used_cpu_sys')) * 1e6
  })
}

/** User and system time, fields 14 and 15 of `/proc/<pid>/stat`; counted from behind the name, which may hold spaces. */
function processTicks (pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return NaN
  }
}

/** What a process has in memory, bytes. `NaN` where the system does not tell. */
export function residentBytes (pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) * 1024
  } catch {
    return NaN
  }
}
