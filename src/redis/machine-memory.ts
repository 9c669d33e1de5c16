/**
 * How much memory there is for this process and those that it starts.
 */
import { totalmem } from 'node:os'

/**
 * Bytes: what the machine has, or what its cgroup allows (a container, a service with MemoryMax) when that is less.
 *
 * @param total    of the machine
 * @param allowed  by its cgroup: 0 without cgroups, more than there can be without a limit
 */
export function machineMemory (total = totalmem(), allowed = process.constrainedMemory()): number {
  return allowed > 0 ? Math.min(total, allowed) : total
}

/** Bytes as people read them. */
export function inMegabytes (bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`
}
