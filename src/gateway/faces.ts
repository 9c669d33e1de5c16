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
import type { Teardown } from './teardown.js'

interface Listener {
  listen: (address: { host: string, port: number }) => Promise<string>
  close: () => Promise<unknown>
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

export interface IngestFace extends Omit<IngestOptions, 'policy' | 'tls'> {
  config: () => Config
  teardown: Teardown
}

/**
 * Opens the public endpoint.
 *
 * @returns where it listens, as a URL
 * @throws  RelayError LISTEN_FAILED
 */
export async function openIngest ({ config, teardown, ...options }: IngestFace): Promise<string> {
  const app = ingestApp({ ...options, policy: policyFrom(config), tls: config().ingest.tls })
  teardown.push('public endpoint', async () => { await app.close() })
  return await bind(app, config().ingest.listen, 'ingest.listen')
}

/** One policy object per configuration: a policy is compiled once, and never changed in place. */
function policyFrom (config: () => Config): () => IngestPolicy {
  return () => config().ingest
}

export interface AdminFace extends Omit<AdminOptions, 'tokens' | 'subscribers'> {
  config: () => Config
  teardown: Teardown
  logger: Logger
}

/**
 * Opens the operators' listener. Without a configured token it makes one.
 *
 * @returns where it listens, as a URL
 * @throws  RelayError LISTEN_FAILED
 */
export async function openAdmin ({ config, teardown, logger, ...options }: AdminFace): Promise<string> {
  const own = { name: 'local', value: readOrMakeAdminToken(config().dataDir), role: 'operator' as const }
  const app = adminApp({
    ...options,
    tokens: () => config().admin.tokens.length > 0 ? config().admin.tokens : [own],
    subscribers: () => config().subscribers
  })
  teardown.push('admin listener', async () => { await app.close() })
  const address = await bind(app, config().admin.listen, 'admin.listen')
  logger.info({ address }, 'admin listener is open')
  return address
}
