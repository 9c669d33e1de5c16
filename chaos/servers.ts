/** The Redis of a run, of whichever kind: what the gateways are told of it, and how it ends. */
import { startCluster, type TestCluster } from '../test/support/cluster.js'
import type { Settings } from '../test/support/gateway.js'
import { startRedis, type TestRedis } from '../test/support/redis.js'
import { startSentinel, type Sentinel } from '../test/support/sentinel.js'
import type { ServersKind } from './plan.js'

/** One of them is there. */
export interface Servers {
  redis: TestRedis | null
  sentinel: Sentinel | null
  cluster: TestCluster | null
  /** The `redis` section of a configuration. */
  settings: Settings
  close (): Promise<void>
}

const NONE = { redis: null, sentinel: null, cluster: null }

/** Starts them, with the settings that docs/operations.md wants. */
export async function openServers (kind: ServersKind): Promise<Servers> {
  switch (kind) {
    case 'redis': {
      const redis = await startRedis(['--aof-load-truncated', 'no'])
      return { ...NONE, redis, settings: { url: `unix://${redis.path}` }, close: redis.close }
    }
    case 'sentinel': {
      const sentinel = await startSentinel(1, ['--min-replicas-to-write', '1'])
      return { ...NONE, sentinel, settings: { ...sentinel.settings, waitReplicas: 1 }, close: sentinel.close }
    }
    case 'cluster': {
      const cluster = await startCluster()
      return { ...NONE, cluster, settings: { ...cluster.settings, waitReplicas: 1 }, close: cluster.close }
    }
  }
}
