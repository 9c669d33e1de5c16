/**
 * Walks keys by how they begin, without holding the server up.
 */
import { Cluster } from 'ioredis'
import type { RedisClient } from './script.js'

/**
 * Every key that is there from beginning to end of the walk, at least once.
 *
 * @param start  holds none of `*?[]\`
 * @param count  about how many keys one step looks at; pages may be empty or larger
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
