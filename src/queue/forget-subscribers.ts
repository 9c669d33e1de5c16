/**
 * Forgets subscribers that are configured no more, when nothing of theirs is
 * left: nothing that is owed or failed, no job, and no event that names them.
 * Then neither counters nor holds nor keys of a queue stay behind, nobody lists
 * them, and one that is configured again begins anew.
 *
 * A large record is looked through bit by bit, the oldest events first: they go
 * first.
 */
import type { Keys } from '../redis/keys.js'
import { loadScript, runPackedScript, type RedisClient } from '../redis/script.js'
import type { Queues } from './bullmq/queues.js'

const FORGET = loadScript(new URL('./forget-subscriber.lua', import.meta.url))

/** Events that one script looks at: a millisecond of Redis's time. */
const STEP = 500

export interface ForgetOptions {
  redis: RedisClient
  keys: Keys
  queues: Pick<Queues, 'clearLine' | 'keysOf'>
  /** Events that one script looks at; {@link STEP} when left out. */
  step?: number
}

/** One step for each subscriber. @param removed  those that are configured no more; @returns those that were forgotten; @throws what ioredis throws */
export type ForgetSubscribers = (removed: readonly string[]) => Promise<string[]>

/** Makes what forgets them; it remembers how far it has looked. */
export function createForgetSubscribers ({ redis, keys, queues, step = STEP }: ForgetOptions): ForgetSubscribers {
  /** Up to which sequence no event names a subscriber. */
  let looked = new Map<string, string>()

  async function forget (subscriber: string): Promise<boolean> {
    await queues.clearLine(subscriber)
    const { output } = await runPackedScript(redis, FORGET, {
      key: keys.events,
      input: {
        prefix: `{${keys.prefix}}:`,
        subscriber,
        queue: queues.keysOf(subscriber),
        base: `${keys.queuePrefix}:${subscriber}:`,
        cursor: looked.get(subscriber) ?? '0',
        count: step
      }
    })
    const [isForgotten, cursor] = output as [number, string]
    looked.set(subscriber, cursor)
    return isForgotten === 1
  }

  return async removed => {
    looked = new Map([...looked].filter(([name]) => removed.includes(name)))
    const forgotten: string[] = []
    for (const name of removed) {
      if (await forget(name)) forgotten.push(name)
    }
    return forgotten
  }
}
