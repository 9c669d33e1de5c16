/**
 * Makes a backlog fast: accepts callbacks through the gateway's own atomic
 * step (src/accept), without HTTP in front of it. What lies in Redis afterwards
 * is what the gateway would have written. While it fills, Redis may leave out
 * the fsync; it is switched on again before anything is measured.
 */
import { Redis } from 'ioredis'
import { createAccept } from '../../src/accept/accept.js'
import type { Subscriber } from '../../src/model/subscriber.js'
import { createQueues } from '../../src/queue/bullmq/queues.js'
import { keysOf } from '../../src/redis/keys.js'
import { bodyOf, taskNames } from '../body.js'
import { answerOrders } from './answer.js'

/** Callbacks accepted at the same time. */
const AT_ONCE = 256
const A_WEEK_MS = 7 * 24 * 3600 * 1_000

const nextTask = taskNames()

export interface Fill { socket: string, subscribers: string[], events: number }

async function fill ({ socket, subscribers, events }: Fill): Promise<void> {
  const redis = new Redis({ path: socket, maxRetriesPerRequest: null })
  const keys = keysOf('relay')
  const queues = createQueues({ redis, keys, report () {} })
  const policy = {
    dedupe: { windowMs: A_WEEK_MS, onConflict: 'forward' as const, onLate: 'keep' as const, ignoreFields: [] },
    subscribers: subscribers.map(named)
  }
  const accept = createAccept({ store: { redis, keys }, queues, policy: () => policy, report () {} })
  const [, fsync = 'always'] = await redis.config('GET', 'appendfsync') as string[]
  await redis.config('SET', 'appendfsync', 'no')
  let begun = 0
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (begun < events) {
        begun++
        const acceptance = await accept({
          body: Buffer.from(bodyOf(nextTask(), 0)), contentType: 'application/json', receivedAt: Date.now(), flags: []
        })
        if (acceptance.kind !== 'accepted') throw new Error(`a callback of the backlog was not accepted: ${JSON.stringify(acceptance)}`)
      }
    }))
  } finally {
    await redis.config('SET', 'appendfsync', fsync)
    await queues.close()
    redis.disconnect()
  }
}

/** Accepting looks at a subscriber's name and wishes only. */
function named (name: string): Subscriber {
  return {
    name,
    url: 'http://127.0.0.1/',
    shownUrl: 'http://127.0.0.1/',
    match: { types: [], statuses: [], businessIds: [] },
    headers: {},
    secrets: [],
    breaker: null,
    rateLimit: null,
    concurrency: 16,
    timeoutMs: 15_000,
    retry: { kind: 'list', waitsMs: [], maxMs: A_WEEK_MS },
    maxAgeMs: A_WEEK_MS,
    throttleMaxMs: 900_000,
    maxBacklog: null,
    tls: null,
    enabled: true
  }
}

const orders = { fill }
export type FillOrders = typeof orders
answerOrders(orders)
