/**
 * How much memory there is for this process and those that it starts.
 */
import { totalmem } from 'node:os'

/** Bytes: what the machine has, or what its cgroup allows (a container, a service with MemoryMax) when that is less. */
export function machineMemory (): number {
  // A machine without cgroups says 0, a cgroup without a limit more than there can be.
  const allowed = process.constrainedMemory()
  return allowed > 0 ? Math.min(totalmem(), allowed) : totalmem()
}

/** Bytes as people read them. */
export function inMegabytes (bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`
}
