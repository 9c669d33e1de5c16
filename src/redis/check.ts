/**
 * Start-up checks: can this Redis keep our promises?
 *
 * Reads only INFO, because managed services hide CONFIG. Refuses a Redis that
 * cannot work, warns about settings that weaken a promise, and warns about
 * settings that a service hides. Never changes a setting.
 */
import { Cluster, type Redis } from 'ioredis'
import { RelayError } from '../model/errors.js'
import { isAtLeast, OLDEST_VERSION, parseInfo, type Info } from './info.js'
import type { RedisClient } from './script.js'

/**
 * Checks a server, or every primary of a cluster.
 *
 * @param waitReplicas  replicas that confirm each callback before it is acknowledged
 * @returns warnings for the operator; empty if there are none
 * @throws RelayError REDIS_UNFIT if it is too old, may evict, or is a replica;
 *         REDIS_UNAVAILABLE if it does not answer or is still loading its data
 */
export async function checkRedis (client: RedisClient, { waitReplicas = 0 }: { waitReplicas?: number } = {}): Promise<{ warnings: string[] }> {
  const servers = client instanceof Cluster
    ? client.nodes('master').map(node => ({ node, name: nameOf(node), clustered: true }))
    : [{ node: client, name: 'Redis', clustered: false }]
  const found = await Promise.all(servers.map(async ({ node, name, clustered }) => {
    const info = await readInfo(node, name)
    refuse(info, name)
    return [...warningsOf(info, clustered), ...warningsOfMemory(info), ...warningsOfReplicas(info, waitReplicas)].map(warning => `${name} ${warning}`)
  }))
  return { warnings: found.flat() }
}

function nameOf ({ options }: Redis): string {
  return `Redis at ${options.host ?? ''}:${options.port ?? ''}`
}

async function readInfo (node: Redis, name: string): Promise<Info> {
  try {
    return parseInfo(await node.info())
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (reason.startsWith('NOPERM')) return new Map()
    throw new RelayError('REDIS_UNAVAILABLE',
      `${name} did not answer INFO (${reason}): check that it runs and can be reached`, { cause: error })
  }
}

function refuse (info: Info, name: string): void {
  if (info.get('loading') === '1') {
    throw new RelayError('REDIS_UNAVAILABLE', `${name} is still loading its data: wait, then try again`)
  }
  const version = info.get('redis_version')
  if (version !== undefined && !isAtLeast(version, OLDEST_VERSION)) {
    throw unfit(`${name} has version ${version}: use 6.2 or newer`, { version })
  }
  const policy = info.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    throw unfit(`${name} may drop data when its memory is full: set maxmemory-policy to noeviction (it is ${policy})`, { policy })
  }
  if (info.get('role') === 'slave') {
    throw unfit(`${name} is a replica and takes no writes: give the address of the primary, or use redis.sentinel`)
  }
}

function unfit (message: string, details: Record<string, unknown> = {}): RelayError {
  return new RelayError('REDIS_UNFIT', message, details)
}

/** Ends of sentences that begin with the name of the server. */
function warningsOf (info: Info, clustered: boolean): string[] {
  const unknown = ['redis_version', 'maxmemory_policy', 'aof_enabled'].filter(field => !info.has(field))
  const warnings: string[] = []
  if (unknown.length > 0) {
    warnings.push(`does not report ${unknown.join(', ')}: make sure that it is 6.2 or newer, never evicts and keeps its data on disk`)
  }
  if (info.get('aof_enabled') === '0') {
    warnings.push('keeps no append-only file: a crash loses every callback acknowledged since its last snapshot; set appendonly yes and appendfsync always')
  }
  if (info.get('aof_last_write_status') === 'err') {
    warnings.push('failed its last write to the append-only file: check that its disk is not full')
  }
  if (info.get('cluster_enabled') === '1' && !clustered) {
    warnings.push('is part of a Redis Cluster: give its nodes as redis.cluster, or writes may be refused')
  }
  return warnings
}

/** The limit of the server itself counts, because the server refuses writes. */
function warningsOfMemory (info: Info): string[] {
  const limit = info.get('maxmemory')
  if (limit === undefined) return ['does not report maxmemory: finished events cannot be evicted when it is nearly full; make sure that it has enough memory']
  if (limit === '0') return ['has no maxmemory: it grows until its machine runs out of memory and kills it; set maxmemory to half of that machine\'s memory']
  return []
}

/** A Redis with replicas fails over to them, and a failover loses the writes that they had not received. */
function warningsOfReplicas (info: Info, waitReplicas: number): string[] {
  const replicas = Number(info.get('connected_slaves') ?? 0)
  if (waitReplicas > 0) {
    return replicas >= waitReplicas ? [] : [`has ${replicas} of the ${waitReplicas} replicas that redis.waitReplicas asks for: callbacks go to the spool until it has that many`]
  }
  if (replicas === 0) return []
  const refusesAlone = info.has('min_slaves_good_slaves')
  return [
    'has replicas, and a failover to one of them can lose callbacks acknowledged shortly before: set redis.waitReplicas to 1' +
    (refusesAlone ? '' : ', and min-replicas-to-write to 1 on every server')
  ]
}
