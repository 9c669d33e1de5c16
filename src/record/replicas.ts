/**
 * The replicas in Redis: each says again and again that it lives, and what it
 * has not said for a while is forgotten. Nothing depends on the list; it is
 * there to be looked at.
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
 * Says what a replica is, and that it lives.
 *
 * @param lifetimeMs  for so long it is believed
 */
export async function announceReplica (store: RecordStore, replica: Replica, lifetimeMs: number): Promise<void> {
  const { id, ...facts } = replica
  await announce(store, { id, lifetimeMs, fields: Object.entries(facts).flatMap(([name, value]) => [name, String(value)]) })
}

/**
 * Says that a replica still lives.
 *
 * @returns whether it is still known what it is; otherwise it must be announced again
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

/** All that live, by role and host. */
export async function readReplicas ({ redis, keys }: RecordStore): Promise<Replica[]> {
  const ids = await redis.zrange(keys.replicas, '0', '-1')
  const found = await Promise.all(ids.map(async id => replicaFrom(id, await redis.hgetall(keys.replica(id)))))
  return found.filter(replica => replica !== null)
    .sort((one, other) => compare(one.role, other.role) || compare(one.host, other.host) || one.startedAt - other.startedAt)
}

/** @returns `null` for one whose time is over: its fields go by themselves, its id with the next announcement */
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

/** What every replica salts its fingerprint with: made once, by whoever asks first. */
export async function fingerprintSalt ({ redis, keys }: RecordStore): Promise<string> {
  const known = await redis.get(keys.fingerprintSalt)
  if (known !== null) return known
  const made = randomBytes(SALT_BYTES).toString('base64url')
  await runDraining(redis, keys.fingerprintSalt, [['SET', keys.fingerprintSalt, made, 'NX']])
  return await redis.get(keys.fingerprintSalt) ?? made
}
