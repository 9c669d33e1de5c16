/**
 * The replicas in Redis: each announces itself regularly, and a replica that stops
 * doing so is forgotten after a while. The list is only for operators; nothing
 * depends on it.
 */
import { randomBytes } from 'node:crypto'
import type { Replica, Role } from '../model/replica.js'
import { runDraining } from '../redis/drain.js'
import { runScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const ANNOUNCE = loadRecordScript(new URL('./announce.lua', import.meta.url))

const SALT_BYTES = 16

/**
 * Announces what a replica is, and that it lives.
 *
 * @param lifetimeMs  how long the announcement is valid
 */
export async function announceReplica (store: RecordStore, replica: Replica, lifetimeMs: number): Promise<void> {
  const { id, ...facts } = replica
  await announce(store, { id, lifetimeMs, fields: Object.entries(facts).flatMap(([name, value]) => [name, String(value)]) })
}

/**
 * Announces that a replica still lives.
 *
 * @returns whether its fields are still known; otherwise they must be announced again
 */
export async function keepReplica (store: RecordStore, id: string, lifetimeMs: number): Promise<boolean> {
  return await announce(store, { id, lifetimeMs, fields: [] })
}

async function announce ({ redis, keys }: RecordStore, said: { id: string, lifetimeMs: number, fields: string[] }): Promise<boolean> {
  const { id, lifetimeMs, fields } = said
  return await runScript(redis, ANNOUNCE, { keys: [keys.replica(id), keys.replicas], args: [id, lifetimeMs, ...fields] }) === 1
}

/** Takes a replica off the list. */
export async function forgetReplica ({ redis, keys }: RecordStore, id: string): Promise<void> {
  await runDraining(redis, keys.replicas, [['DEL', keys.replica(id)], ['ZREM', keys.replicas, id]])
}

/** All living replicas, by role and host. */
export async function readReplicas ({ redis, keys }: RecordStore): Promise<Replica[]> {
  const ids = await redis.zrange(keys.replicas, '0', '-1')
  const found = await Promise.all(ids.map(async id => replicaFrom(id, await redis.hgetall(keys.replica(id)))))
  return found.filter(replica => replica !== null)
    .sort((one, other) => compare(one.role, other.role) || compare(one.host, other.host) || one.startedAt - other.startedAt)
}

/** @returns `null` for an expired one: its fields expire, and the next announcement removes its id */
function replicaFrom (id: string, fields: Record<string, string>): Replica | null {
  const { host, role, version, fingerprint } = fields
  if (host === undefined || role === undefined || version === undefined || fingerprint === undefined) return null
  return {
    id,
    host,
    pid: Number(fields['pid']),
    role: role as Role,
    version,
    startedAt: Number(fields['startedAt']),
    fingerprint,
    configuredAt: Number(fields['configuredAt'])
  }
}

function compare (one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** The salt of every replica's fingerprint: made once, by the first that asks. */
export async function fingerprintSalt ({ redis, keys }: RecordStore): Promise<string> {
  const known = await redis.get(keys.fingerprintSalt)
  if (known !== null) return known
  const made = randomBytes(SALT_BYTES).toString('base64url')
  await runDraining(redis, keys.fingerprintSalt, [['SET', keys.fingerprintSalt, made, 'NX']])
  return await redis.get(keys.fingerprintSalt) ?? made
}
