/** What some work costs Redis, as a count: it does not depend on the machine. */
import type { Redis } from 'ioredis'

/** How often Redis carried out each command, those within scripts included. */
export interface Calls {
  of (...commands: string[]): number
  all: number
}

/** Does the work, and counts. Nothing else may ask this Redis meanwhile. */
export async function callsDuring (redis: Redis, work: () => Promise<unknown>): Promise<Calls> {
  await redis.config('RESETSTAT')
  await work()
  const told = (await redis.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)
  const counts = new Map([...told].map(([, command, calls]) => [command!, Number(calls)]))
  return {
    of: (...commands) => commands.reduce((sum, command) => sum + (counts.get(command) ?? 0), 0),
    all: [...counts.values()].reduce((sum, calls) => sum + calls, 0)
  }
}
