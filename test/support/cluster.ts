/**
 * A Redis Cluster of three primaries with a replica each: real servers on
 * ports of their own.
 */
import { execFileSync } from 'node:child_process'
import type { Redis } from 'ioredis'
import { freePort } from './free-port.js'
import { startRedis, type TestRedis } from './redis.js'
import { until } from './until.js'

export interface Node extends TestRedis {
  port: number
  /** How the others call it. */
  id: string
  operator: Redis
}

export interface TestCluster {
  /** The `redis` section of a configuration. */
  settings: { cluster: { nodes: string[] } }
  nodes: Node[]
  /** The primary that has the slot of this key now. */
  ownerOf (key: string): Promise<Node>
  /** The replica of that. */
  replicaOf (key: string): Promise<Node>
  /** Another primary than that. */
  otherPrimary (key: string): Promise<Node>
  /**
   * Moves the slot of a key, and all keys in it, as an operator's tool does.
   *
   * @param first      the first of its keys to be moved
   * @param meanwhile  awaited when that has been
   * @returns          how many keys were moved
   */
  moveSlot (key: string, to: Node, first?: { key: string, meanwhile: () => Promise<unknown> }): Promise<number>
  /** Resolves when every node says that it is whole, and each primary has its replica. */
  whole (): Promise<void>
  close (): Promise<void>
}

/** A node that is silent for so long is given up, milliseconds. */
const NODE_TIMEOUT_MS = 1_500

/** Starts it; resolves when every node says that it is whole. */
export async function startCluster (): Promise<TestCluster> {
  const nodes: Node[] = []
  for (let n = 0; n < 6; n++) {
    const [port, busPort] = [await freePort(), await freePort()]
    const redis = await startRedis([
      '--port', String(port), '--bind', '127.0.0.1', '--cluster-enabled', 'yes', '--cluster-port', String(busPort),
      '--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-allow-replica-migration', 'no', '--maxmemory', '256mb', '--repl-diskless-sync-delay', '0'
    ])
    const operator = redis.client()
    nodes.push(Object.assign(redis, { port, operator, id: await operator.cluster('MYID') as string }))
  }
  execFileSync('redis-cli', ['--cluster', 'create', ...nodes.map(({ port }) => `127.0.0.1:${port}`), '--cluster-replicas', '1', '--cluster-yes'], { stdio: 'ignore' })
  const whole = async (): Promise<void> => {
    await until('the cluster is whole', async () => {
      const infos = await Promise.all(nodes.map(async ({ operator }) => [
        await operator.cluster('INFO') as string, await operator.info('replication'), await operator.cluster('NODES') as string
      ]))
      return infos.every(([cluster, replication, others]) => cluster!.includes('cluster_state:ok') && !others!.includes('fail') &&
        /role:master\r\nconnected_slaves:1\r\nslave0:.*state=online|master_link_status:up/.test(replication!))
    })
  }
  await whole()

  /** Slots by owner, as one living node has them. */
  async function view (): Promise<Array<{ id: string, follows: string, isPrimary: boolean, slots: string[] }>> {
    const teller = nodes.find(({ process }) => process.exitCode === null && process.signalCode === null)!
    const lines = (await teller.operator.cluster('NODES') as string).trim().split('\n')
    return lines.map(line => line.split(' ')).map(([id, , flags, follows, , , , , ...slots]) => ({ id: id!, follows: follows!, isPrimary: flags!.includes('master') && !flags!.includes('fail'), slots }))
  }

  async function slotOf (key: string): Promise<number> {
    const teller = nodes.find(({ process }) => process.exitCode === null && process.signalCode === null)!
    return Number(await teller.operator.cluster('KEYSLOT', key))
  }

  const has = (slots: string[], slot: number): boolean => slots.some(range => {
    const [from, to = from] = range.split('-').map(Number)
    return slot >= from! && slot <= to!
  })
  const nodeOf = (id: string): Node => nodes.find(node => node.id === id)!

  async function ownerOf (key: string): Promise<Node> {
    const slot = await slotOf(key)
    let owner: Node | undefined
    await until('the slot has an owner', async () => {
      const found = (await view()).find(({ isPrimary, slots }) => isPrimary && has(slots, slot))
      owner = found === undefined ? undefined : nodeOf(found.id)
      return owner !== undefined
    })
    return owner!
  }

  return {
    settings: { cluster: { nodes: nodes.slice(0, 3).map(({ port }) => `127.0.0.1:${port}`) } },
    nodes,
    ownerOf,
    async replicaOf (key) {
      const { id } = await ownerOf(key)
      return nodeOf((await view()).find(node => node.follows === id)!.id)
    },
    async otherPrimary (key) {
      const owner = await ownerOf(key)
      return nodeOf((await view()).find(({ id, isPrimary, slots }) => isPrimary && id !== owner.id && slots.length > 0)!.id)
    },
    async moveSlot (key, to, first) {
      const slot = await slotOf(key)
      const from = await ownerOf(key)
      await to.operator.cluster('SETSLOT', slot, 'IMPORTING', from.id)
      await from.operator.cluster('SETSLOT', slot, 'MIGRATING', to.id)
      let moved = 0
      const move = async (keys: string[]): Promise<void> => {
        await from.operator.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'REPLACE', 'KEYS', ...keys)
        moved += keys.length
      }
      if (first !== undefined) {
        await move([first.key])
        await first.meanwhile()
      }
      for (;;) {
        const keys = await from.operator.cluster('GETKEYSINSLOT', slot, 100) as string[]
        if (keys.length === 0) break
        await move(keys)
      }
      for (const node of [to, from]) await node.operator.cluster('SETSLOT', slot, 'NODE', to.id)
      return moved
    },
    whole,
    async close () {
      await Promise.all(nodes.map(async node => {
        node.process.kill('SIGCONT')
        await node.close()
      }))
    }
  }
}
