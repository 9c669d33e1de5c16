/**
 * A reload through the API reaches every replica: each reads its own file again.
 * SIGHUP reaches one process only.
 */
import { randomUUID } from 'node:crypto'
import type { ReloadResult, Reloader } from '../config/reload.js'
import type { Logger } from '../telemetry/log.js'
import type { Storage } from './storage.js'

export interface ReloadEverywhereOptions {
  storage: Storage
  reloader: Reloader
  logger: Logger
}

/**
 * Listens for the reloads of other replicas.
 *
 * @returns a reload that tells the others; if it is refused here, the others are not told. Never rejects.
 */
export function reloadEverywhere ({ storage: { connections, failFast: { redis, keys } }, reloader, logger }: ReloadEverywhereOptions): () => Promise<ReloadResult> {
  const me = randomUUID()
  const listener = connections.pubSub()
  listener.on('message', (_channel: string, from: string) => {
    if (from !== me) void reloader.reload() // it reports the result itself
  })
  listener.subscribe(keys.reloadChannel).catch(() => {}) // it waits for Redis; only a stop of the gateway ends it

  return async () => {
    const result = await reloader.reload()
    if ('changed' in result) {
      await redis.publish(keys.reloadChannel, me).catch((error: unknown) => {
        logger.warn({ err: error }, 'other replicas could not be told to reload')
      })
    }
    return result
  }
}
