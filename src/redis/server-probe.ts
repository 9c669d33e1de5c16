/**
 * Asks who answers on a socket, even a server that is still loading its data.
 */
import { Redis } from 'ioredis'
import { parseInfo } from './info.js'
import { runtimeSettings, type ServerLoading, type ServerPlace } from './server-settings.js'

export type ServerProbeResult =
  | { kind: 'nobody' } // no socket, or nobody listens
  | { kind: 'silent' } // a process listens but gives no useful answer
  | { kind: 'server', pid: number, dir: string, loading: ServerLoading | null }

const ANSWER_TIMEOUT_MS = 1_000

/** Asks who is there. Never throws. */
export async function askServer (socket: string): Promise<ServerProbeResult> {
  return await converse<ServerProbeResult>(socket, async client => {
    const [info, dir] = await Promise.all([client.info(), client.config('GET', 'dir')])
    const fields = parseInfo(info)
    return {
      kind: 'server',
      pid: Number(fields.get('process_id')),
      dir: Array.isArray(dir) ? String(dir[1]) : '',
      loading: fields.get('loading') === '1'
        ? { percent: Math.floor(Number(fields.get('loading_loaded_perc') ?? 0)), secondsLeft: Number(fields.get('loading_eta_seconds') ?? 0) }
        : null
    }
  }).catch((error: NodeJS.ErrnoException): ServerProbeResult => {
    const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
    return { kind: nobody ? 'nobody' : 'silent' }
  })
}

/**
 * Applies our present settings to a running server, which an older release may have started.
 *
 * @throws errors of ioredis
 */
export async function refreshSettings (place: ServerPlace): Promise<void> {
  await converse(place.socket, async client => {
    for (const [name, value] of runtimeSettings(place)) await client.config('SET', name, value)
  })
}

async function converse<Result> (socket: string, talk: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis({
    path: socket,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: ANSWER_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    disconnectTimeout: 50
  })
  let connectError: Error | null = null
  client.on('error', (error: Error) => { connectError ??= error })
  try {
    await client.connect()
    return await talk(client)
  } catch (error) {
    throw connectError ?? error
  } finally {
    client.disconnect()
  }
}
