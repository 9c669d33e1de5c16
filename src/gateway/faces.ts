/**
 * The two listeners: the public endpoint, and the operators' own.
 */
import { adminApp, type AdminOptions } from '../admin/app.js'
import { formatAddress, type Address, type Config } from '../config/config.js'
import { ingestApp } from '../ingest/app.js'
import type { IngestOptions } from '../ingest/options.js'
import type { IngestPolicy } from '../ingest/policy.js'
import { RelayError } from '../model/errors.js'
import type { Logger } from '../telemetry/log.js'
import { readOrMakeAdminToken } from './admin-token.js'
import type { Stopping } from './stopping.js'
import type { Teardown } from './teardown.js'

interface Listener {
  listen: (address: { host: string, port: number }) => Promise<string>
  close: () => Promise<unknown>
  server: { closeAllConnections: () => void }
}

/** Of the time to stop in, a listener takes this share at most: a client that trickles must not use up what attempts need. */
const CLOSING_SHARE = 0.25

/** Takes no more connections and lets requests in flight end; cuts off those that take too long. */
async function close (app: Listener, stopping: Stopping): Promise<void> {
  const leftMs = stopping.leftMs()
  const cutOff = setTimeout(() => { app.server.closeAllConnections() }, Number.isFinite(leftMs) ? leftMs * CLOSING_SHARE : 0)
  await app.close()
  clearTimeout(cutOff)
}

/** Binds a listener; the error of a busy port names the key to change. */
async function bind (app: Listener, { host, port }: Address, key: string): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    const why = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be listened on (${code})`
    throw new RelayError('LISTEN_FAILED', `${formatAddress({ host, port })} ${why}: free it, or change ${key} in the configuration`,
      { address: formatAddress({ host, port }), key, code }, { cause: error })
  }
}

export interface IngestFace extends Omit<IngestOptions, 'policy' | 'tls' | 'stopping'> {
  config: () => Config
  teardown: Teardown
  stopping: Stopping
}

/**
 * Opens the public endpoint.
 *
 * @returns where it listens, as a URL
 * @throws  RelayError LISTEN_FAILED
 */
export async function openIngest ({ config, teardown, stopping, ...options }: IngestFace): Promise<string> {
  const app = ingestApp({ ...options, policy: policyFrom(config), tls: config().ingest.tls, stopping: stopping.yet })
  teardown.push('public endpoint', async () => { await close(app, stopping) })
  return await bind(app, config().ingest.listen, 'ingest.listen')
}

/** One policy object per configuration: a policy is compiled once, and never changed in place. */
function policyFrom (config: () => Config): () => IngestPolicy {
  return () => config().ingest
}

export interface AdminFace extends Omit<AdminOptions, 'tokens' | 'subscribers'> {
  config: () => Config
  teardown: Teardown
  stopping: Stopping
  logger: Logger
}

/**
 * Opens the operators' listener. Without a configured token it makes one.
 *
 * @returns where it listens, as a URL
 * @throws  RelayError LISTEN_FAILED
 */
export async function openAdmin ({ config, teardown, stopping, logger, ...options }: AdminFace): Promise<string> {
  const own = { name: 'local', value: readOrMakeAdminToken(config().dataDir), role: 'operator' as const }
  const app = adminApp({
    ...options,
    tokens: () => config().admin.tokens.length > 0 ? config().admin.tokens : [own],
    subscribers: () => config().subscribers
  })
  teardown.push('admin listener', async () => { await close(app, stopping) })
  const address = await bind(app, config().admin.listen, 'admin.listen')
  logger.info({ address }, 'admin listener is open')
  return address
}
