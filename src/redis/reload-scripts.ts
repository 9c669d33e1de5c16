/**
 * Gives the server every script a client knows.
 *
 * The driver sends a script's text once per connection and its hash from then
 * on. When that one time was inside a transaction that came to nothing, the
 * server never learns the script, and each later transaction fails with
 * NOSCRIPT for as long as the connection lives. Loading them all by hand mends
 * that.
 */
import { Cluster, type Redis } from 'ioredis'
import type { RedisClient } from './script.js'

/** What the driver keeps of `defineCommand`; it has no public accessor. */
interface KnowsScripts { scriptsSet: Record<string, { lua: string }> }

/**
 * Loads every script defined on the client, on every primary of a cluster.
 *
 * @throws what ioredis throws, when the server cannot be reached
 */
export async function reloadScripts (client: RedisClient): Promise<void> {
  const nodes = client instanceof Cluster ? client.nodes('master') : [client]
  await Promise.all(nodes.map(async node => { await loadInto(node, client) }))
}

/** Loads every script that `client` knows on one server. */
async function loadInto (node: Redis, client: RedisClient): Promise<void> {
  const { scriptsSet } = client as unknown as KnowsScripts
  await Promise.all(Object.values(scriptsSet).map(async ({ lua }) => await node.script('LOAD', lua)))
}

/**
 * Loads them by itself whenever a connection becomes ready: to the server, or
 * to any one node of a cluster. A connection that is lost meanwhile needs no
 * mending, its successor gets the same treatment; so failures are not told.
 */
export function reloadScriptsOnReady (client: RedisClient): void {
  const load = (node: Redis): void => { loadInto(node, client).catch(() => {}) }
  if (client instanceof Cluster) client.on('+node', (node: Redis) => { node.on('ready', () => { load(node) }) })
  else client.on('ready', () => { load(client) })
}
