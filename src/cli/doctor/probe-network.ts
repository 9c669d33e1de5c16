/**
 * Checks from this machine the addresses that the gateway listens on, and those
 * that it must reach.
 *
 * Opens connections and closes them; never sends a request.
 */
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { formatAddress, type ListenAddress, type Config } from '../../config/config.js'
import type { Receiver } from '../../model/alert.js'
import type { Subscriber } from '../../model/subscriber.js'
import type { GatewayIdentity } from './probe-gateway.js'
import { bad, good, warning, type Finding } from './finding.js'

const CONNECT_TIMEOUT_MS = 3_000

/** @param identity  of the gateway that answers: it probably uses the port itself */
export async function probePorts ({ ingest, admin }: Config, identity: GatewayIdentity): Promise<Finding[]> {
  return await Promise.all([
    probePort(ingest.listen, 'ingest.listen', identity),
    probePort(admin.listen, 'admin.listen', identity)
  ])
}

async function probePort (address: ListenAddress, key: string, identity: GatewayIdentity): Promise<Finding> {
  const code = await tryToListen(address)
  const name = formatAddress(address)
  if (code === null) return good(key, `${name} is free`)
  if (code === 'EADDRINUSE') return inUse(name, key, identity)
  return bad(key, `${name} cannot be opened for listening (${code})`, code === 'EACCES' ? `choose a port above 1023 for ${key}` : `change ${key} in the configuration`)
}

function inUse (name: string, key: string, identity: GatewayIdentity): Finding {
  const step = `free it, or change ${key} in the configuration`
  switch (identity) {
    case 'this': return good(key, `${name} is used by the running gateway`)
    case 'another': return bad(key, `${name} is in use, apparently by another gateway`, step)
    case 'unsaid': return warning(key, `${name} is in use by a gateway that does not report its configuration`, 'try again when it is healthy')
    case 'none': return bad(key, `${name} is in use by another process`, step)
  }
}

/** The code of the error; `null` without an error. */
async function tryToListen ({ host, port }: ListenAddress): Promise<string | null> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    server.close()
    return null
  } catch (error) {
    return codeOf(error)
  }
}

/** Whether each subscriber's name resolves and its port takes a connection. */
export async function probeSubscribers (subscribers: readonly Subscriber[]): Promise<Finding[]> {
  if (subscribers.length === 0) {
    return [warning('subscribers', 'none is configured: events are recorded, but not delivered', 'add one under subscribers in the configuration')]
  }
  return await Promise.all(subscribers.map(probeSubscriber))
}

async function probeSubscriber ({ name, url, enabled }: Subscriber): Promise<Finding> {
  const check = `subscriber ${name}`
  if (!enabled) return warning(check, 'is not enabled: its deliveries are held', `set enabled: true for ${name} to deliver them`)
  return await probePeer({ name, url, check, meanwhile: 'its deliveries are retried' })
}

/** The same for the receivers of alerts. */
export async function probeReceivers (receivers: readonly Receiver[]): Promise<Finding[]> {
  if (receivers.length === 0) {
    return [warning('alerts', 'no receiver is configured: nobody is told when something needs an operator', 'add a receiver under alerts.receivers in the configuration, or watch /readyz and the log')]
  }
  return await Promise.all(receivers.map(async ({ name, url }) =>
    await probePeer({ name, url, check: `receiver ${name}`, meanwhile: 'it receives no alerts' })))
}

async function probePeer ({ name, url, check, meanwhile }: { name: string, url: string, check: string, meanwhile: string }): Promise<Finding> {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const address = { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
  try {
    await lookup(host)
  } catch (error) {
    return bad(check, `the name ${host} does not resolve (${codeOf(error)})`, `correct the url of ${name}, or this machine's DNS`)
  }
  const code = await tryToConnect(address)
  if (code === null) return good(check, `${formatAddress(address)} accepts connections`)
  return bad(check, `${formatAddress(address)} accepts no connection (${code})`, `start ${name}, or correct its url; until then ${meanwhile}`)
}

async function tryToConnect (address: ListenAddress): Promise<string | null> {
  const socket = connect(address)
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
    return null
  } catch (error) {
    return error instanceof Error && error.name === 'AbortError' ? `no answer in ${CONNECT_TIMEOUT_MS / 1_000} s` : codeOf(error)
  } finally {
    socket.destroy()
  }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
}
