/**
 * A reload through the API reaches every replica: each reads its own file again.
 * SIGHUP reaches one process only.
 */
import { randomUUID } from 'node:crypto'
import type { ReloadRequest, ReloadResult, Reloader } from '../config/reload.js'
import type { Logger } from '../telemetry/log.js'
import type { Storage } from './storage.js'

/** Subscribers may go. */
const ALLOW = 'allow-removals'

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
export function reloadEverywhere ({ storage: { connections, failFast: { redis, keys } }, reloader, logger }: ReloadEverywhereOptions): (request: ReloadRequest) => Promise<ReloadResult> {
  const me = randomUUID()
  const listener = connections.pubSub()
  listener.on('message', (_channel: string, from: string) => {
    const [who, ...words] = from.split(' ')
    if (who !== me) void reloader.reload({ allowRemovals: words.includes(ALLOW) }) // it reports what comes of it
  })
  listener.subscribe(keys.reloadChannel).catch(() => {}) // it waits for Redis; only a stop of the gateway ends it

  return async request => {
    const result = await reloader.reload(request)
    if ('changed' in result) {
      // Removals that were taken up here were allowed here, by a word or by asking twice: the others need not be asked twice each.
      const removes = request.allowRemovals === true || result.changed.some(change => /^subscribers\.[^.]+ removed$/.test(change))
      await redis.publish(keys.reloadChannel, removes ? `${me} ${ALLOW}` : me).catch((error: unknown) => {
        logger.warn({ err: error }, 'other replicas could not be told to reload')
      })
    }
    return result
  }
}
