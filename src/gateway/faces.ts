/**
 * The two listeners: the public endpoint, and the operators' own.
 */
import { adminApp, type AdminOptions } from '../admin/app.js'
import type { AddressInfo } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { formatAddress, type ListenAddress, type Config } from '../config/config.js'
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
  server: { closeAllConnections: () => void, address: () => AddressInfo | string | null }
}

/** Of the time to stop in, a listener takes this share at most: a client that trickles must not use up what attempts need. */
const CLOSING_SHARE = 0.25

/** Takes no more connections and lets requests in flight end; cuts off those that take too long. */
async function close (app: Listener, stopping: Stopping): Promise<void> {
  const cutOff = setTimeout(() => { app.server.closeAllConnections() }, stopping.leftMs() * CLOSING_SHARE)
  await app.close()
  clearTimeout(cutOff)
}

/** Binds a listener; the error of a busy port names the key to change. */
async function bind (app: Listener, { host, port }: ListenAddress, { key, scheme }: { key: string, scheme: 'http' | 'https' }): Promise<string> {
  try {
    await app.listen({ host, port })
    // As configured, with the port that was really taken: what listens everywhere must not look like loopback.
    return `${scheme}://${formatAddress({ host, port: (app.server.address() as AddressInfo).port })}`
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    const why = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be opened for listening (${code})`
    throw new RelayError('LISTEN_FAILED', `${formatAddress({ host, port })} ${why}: free it, or change ${key} in the configuration`,
      { address: formatAddress({ host, port }), key, code, cause: error })
  }
}

export interface IngestFace extends Omit<IngestOptions, 'policy' | 'tls' | 'stopping'> {
  config: () => Config
  /** Hears of every reload. */
  onChange: (listener: () => void) => void
  teardown: Teardown
  stopping: Stopping
  logger: Logger
}

/**
 * Opens the public endpoint.
 *
 * @returns where it listens, as a URL
 * @throws  RelayError LISTEN_FAILED
 */
export async function openIngest ({ config, onChange, teardown, stopping, logger, ...options }: IngestFace): Promise<string> {
  const { tls } = config().ingest
  const app = ingestApp({ ...options, policy: policyFrom(config), tls, stopping: stopping.yet })
  onChange(() => { renewCertificate(app.server, config()) })
  teardown.push('public endpoint', async () => { await close(app, stopping) })
  const address = await bind(app, config().ingest.listen, { key: 'ingest.listen', scheme: tls === null ? 'http' : 'https' })
  logger.info({ address }, 'public endpoint is open')
  return address
}

/** New connections get the certificate of the running configuration; those that are open keep theirs. */
function renewCertificate (server: object, { ingest: { tls } }: Config): void {
  if (tls !== null && server instanceof TlsServer) server.setSecureContext({ cert: tls.cert, key: tls.key })
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
  const own = { name: 'local', value: await readOrMakeAdminToken(config().dataDir), role: 'operator' as const }
  const app = adminApp({
    ...options,
    tokens: () => config().admin.tokens.length > 0 ? config().admin.tokens : [own],
    subscribers: () => config().subscribers
  })
  teardown.push('admin listener', async () => { await close(app, stopping) })
  const address = await bind(app, config().admin.listen, { key: 'admin.listen', scheme: 'http' })
  logger.info({ address }, 'admin listener is open')
  return address
}
