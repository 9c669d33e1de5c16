/**
 * A replica: one of the gateways that share a Redis and a prefix, and how
 * those are told apart that run another configuration than the rest.
 */

/** Which steps of the journey a replica takes part in. */
export type Role = 'all' | 'ingest' | 'deliver'

export interface Replica {
  /** Made anew at each start. */
  id: string
  /** The name of its machine or container. */
  host: string
  pid: number
  role: Role
  /** Of the package. */
  version: string
  /** Epoch milliseconds. */
  startedAt: number
  /** Of the configuration that it runs; equal ones have equal fingerprints. */
  fingerprint: string
  /** Since when it runs it, epoch milliseconds by its own clock. */
  configuredAt: number
}

/**
 * The replicas whose configuration differs from the one that most of them run;
 * when two are run equally often, from the one that was taken up last.
 *
 * @returns those that differ, in the order they were given; none when all agree
 */
export function differing<R extends Pick<Replica, 'fingerprint' | 'configuredAt'>> (replicas: readonly R[]): R[] {
  const counts = new Map<string, { replicas: number, newestAt: number }>()
  for (const { fingerprint, configuredAt } of replicas) {
    const { replicas = 0, newestAt = -Infinity } = counts.get(fingerprint) ?? {}
    counts.set(fingerprint, { replicas: replicas + 1, newestAt: Math.max(newestAt, configuredAt) })
  }
  const [usual] = [...counts].sort(([, one], [, other]) => other.replicas - one.replicas || other.newestAt - one.newestAt)
  return replicas.filter(({ fingerprint }) => fingerprint !== usual![0])
}
