/**
 * Keeps a Redis at its limit, as whatever else lives in it could: what is freed
 * is taken again at once. A limit that is set low, without a filler, leaves room
 * as soon as something has been delivered.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { TestRedis } from './redis.js'

export interface Filler {
  /** Resolves when Redis takes nothing any more; it is kept so until `ease`, also when it was away meanwhile. */
  fill (): Promise<void>
  /** Resolves when there is room: Redis has no limit. What was written stays, so that the next `fill` is quick. */
  ease (): Promise<void>
  /** Ends, whatever has become of Redis, and leaves it as it is. */
  stop (): Promise<void>
}

/** One list, so that whoever counts keys finds one more. */
const KEY = 'filler'
/** More than this is never free. */
const JUNK = 'x'.repeat(16 * 1024)
/** So many are written in one go while there is much room. */
const MANY = 64
const LOOK_EVERY_MS = 10

/** @param limitMb  the memory that Redis may use while it is full, 1,000,000 bytes each */
export function startFiller (server: TestRedis, limitMb: number): Filler {
  const client = server.client()
  let isOn = false
  let isOver = false
  let told = (): void => {}

  async function keep (): Promise<void> {
    while (!isOver) {
      const isFull = isOn && await fillUp(client, limitMb, () => isOn).catch(() => false)
      if (isFull) told()
      await wait(LOOK_EVERY_MS)
    }
  }

  const done = keep()
  return {
    async fill () {
      const full = new Promise<void>(resolve => { told = resolve })
      isOn = true
      await full
    },
    async ease () {
      isOn = false
      await client.config('SET', 'maxmemory', '0')
    },
    async stop () {
      isOver = true
      isOn = false
      client.disconnect()
      await done
    }
  }
}

/** Whether Redis refuses a plain write now; what was just freed the filler takes a moment later. */
export async function isFull (client: Redis): Promise<boolean> {
  return await client.set('plain', '1').then(() => false, (error: Error) => error.message.startsWith('OOM'))
}

/** Writes until Redis is full; whether it is. Somebody else may have changed the limit, or a start. */
async function fillUp (client: Redis, limitMb: number, goesOn: () => boolean): Promise<boolean> {
  await client.config('SET', 'maxmemory', String(limitMb * 1_000_000))
  for (let count = 1; goesOn(); count = MANY) {
    const pipeline = client.pipeline()
    for (let n = 0; n < count; n++) pipeline.rpush(KEY, JUNK)
    const replies = await pipeline.exec()
    const error = replies?.find(([error]) => error !== null)?.[0]
    if (error !== undefined && error !== null) return error.message.startsWith('OOM')
  }
  return false
}
