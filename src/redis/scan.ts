/**
 * Walks keys by their prefix, without blocking the server.
 */
import { Cluster } from 'ioredis'
import type { RedisClient } from './script.js'

/**
 * Every key that exists during the whole walk, at least once.
 *
 * @param start  contains none of `*?[]\`
 * @param count  about how many keys one step reads; pages may be empty or larger
 */
export async function * scanKeys (client: RedisClient, start: string, count: number): AsyncGenerator<string[]> {
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0'
    do {
      const [next, found] = await node.scan(cursor, 'MATCH', `${start}*`, 'COUNT', count)
      cursor = next
      if (found.length > 0) yield found
    } while (cursor !== '0')
  }
}
