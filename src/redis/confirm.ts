/**
 * Waits until replicas have what was written, so that a failover cannot take
 * back what was acknowledged.
 *
 * Replication is asynchronous: a primary that dies takes with it what it had
 * not yet sent, and the replica that follows it never knew. A count of replicas
 * holds for what was written on the same connection before it; on a connection
 * that is new since then it would hold for nothing, and is not believed.
 */
import { Cluster, type Redis } from 'ioredis'
import type { RedisClient } from './script.js'

/** Longer than any replica needs that is worth waiting for, milliseconds; shorter than a command may take. */
const WITHIN_MS = 500

/** Resolves with what `write` does, once it is safe. */
export type ConfirmWrite = <Result>(write: () => Promise<Result>) => Promise<Result>

/**
 * Makes the function that waits.
 *
 * @param replicas  how many must have it; 0 waits for nothing
 * @param key       any key that is written: on a cluster it says where
 * @returns         a function that rejects when fewer have confirmed it in time, or it cannot be known; the write may have happened
 */
export function confirmedBy (client: RedisClient, { replicas, key }: { replicas: number, key: string }): ConfirmWrite {
  if (replicas === 0) return async write => await write()
  const lives = new WeakMap<Redis, number>()
  const livesOf = (node: Redis): number => {
    if (!lives.has(node)) {
      lives.set(node, 0)
      node.on('close', () => { lives.set(node, lives.get(node)! + 1) })
    }
    return lives.get(node)!
  }

  return async write => {
    const before = await primaryOf(client, key)
    const life = livesOf(before)
    const result = await write()
    const node = await primaryOf(client, key)
    const confirmed = await node.wait(replicas, WITHIN_MS)
    if (node !== before || livesOf(node) !== life) throw new Error('the connection was lost before replicas had confirmed the write')
    if (confirmed < replicas) throw new Error(`${confirmed} of ${replicas} replicas have confirmed the write within ${WITHIN_MS} ms`)
    return result
  }
}

/** The connection that a key's commands go through. */
async function primaryOf (client: RedisClient, key: string): Promise<Redis> {
  if (!(client instanceof Cluster)) return client
  const slot = await slotOf(client, key)
  const name = client.slots[slot]?.[0]
  const node = client.nodes('master').find(({ options: { host, port } }) => `${host ?? ''}:${port ?? ''}` === name)
  if (node === undefined) throw new Error('no node of the cluster is known to have the slot')
  return node
}

const slots = new Map<string, number>()

async function slotOf (client: Cluster, key: string): Promise<number> {
  const known = slots.get(key)
  if (known !== undefined) return known
  const slot = Number(await client.cluster('KEYSLOT', key))
  slots.set(key, slot)
  return slot
}
