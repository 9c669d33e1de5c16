/**
 * A replica: one of the gateways that share a Redis and a prefix. Finds the
 * replicas whose configuration differs from the others.
 */

/** The steps of the journey in which a replica takes part. */
export type Role = 'all' | 'ingest' | 'deliver'

export interface Replica {
  /** New at each start. */
  id: string
  /** The name of its machine or container. */
  host: string
  pid: number
  role: Role
  /** Version of the package. */
  version: string
  /** Epoch milliseconds. */
  startedAt: number
  /** Fingerprint of its configuration; equal configurations have equal fingerprints. */
  fingerprint: string
  /** Time since which it has used that configuration, epoch milliseconds by its own clock. */
  configuredAt: number
}

/**
 * The replicas whose configuration differs from that of most replicas; if two
 * configurations are equally frequent, from the one that was loaded last.
 *
 * @returns those that differ, in the given order; none if all agree
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
