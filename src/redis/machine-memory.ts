/**
 * The memory that this process and its children can use.
 */
import { totalmem } from 'node:os'

/**
 * Bytes: the memory of the machine, or the limit of its cgroup (a container, a service with MemoryMax) if that is less.
 *
 * @param total    of the machine
 * @param allowed  by its cgroup: 0 without cgroups, more than `total` without a limit
 */
export function machineMemory (total = totalmem(), allowed = process.constrainedMemory()): number {
  return allowed > 0 ? Math.min(total, allowed) : total
}

/** Bytes as text for people. */
export function inMegabytes (bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`
}
