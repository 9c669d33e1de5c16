/**
 * How the driver opens a connection, with two differences.
 *
 * A second error of the same socket is ignored. The driver listens to the first
 * only. TLS can have two: a certificate is refused, and then the other side
 * reports that the connection was closed. Without a listener, the second would
 * end the process (ioredis pull request 962).
 *
 * And a disconnect before there is a socket leads to a closed one. The driver
 * would take an error for the end, even if it disconnected only to connect again,
 * as in a failover while it asks the sentinels: the client would never connect
 * again. After a close it does what was intended: it connects, or ends.
 */
import { createConnection, Socket, type NetConnectOpts } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { AbstractConnector, SentinelConnector, type Redis, type RedisOptions } from 'ioredis'

/** Opens a connection to an address. */
export class Connector extends AbstractConnector {
  readonly #options: RedisOptions

  /** @param options  RedisOptions; the driver's own type of a connector is not more precise */
  constructor (options: unknown) {
    super((options as RedisOptions).disconnectTimeout!)
    this.#options = options as RedisOptions
  }

  override async connect (): Promise<Socket> {
    this.connecting = true
    await new Promise(resolve => { process.nextTick(resolve) })
    if (!this.connecting) return closedSocket()
    const { path, host, port, family, tls } = this.#options
    const place = path !== undefined ? { path } : { host, port, family }
    const stream = tls === undefined
      ? createConnection(place as NetConnectOpts)
      : connectTls({ ...place, ...tls } as ConnectionOptions)
    stream.once('error', error => { this.firstError = error })
    stream.on('error', () => {}) // any further error
    this.stream = stream
    return stream
  }
}

type Dial = (endpoint: object, options?: object) => Redis

/** Asks sentinels for the address first. */
export class ConnectorBySentinel extends SentinelConnector {
  constructor (options: unknown) {
    super(options as ConstructorParameters<typeof SentinelConnector>[0])
    const driver = this as unknown as { connectToSentinel: Dial }
    const dial = driver.connectToSentinel.bind(this)
    driver.connectToSentinel = (endpoint, more) => dial(endpoint, { Connector, ...more })
  }

  override async connect (tell: Parameters<SentinelConnector['connect']>[0]): Promise<Socket> {
    try {
      const stream = await super.connect(tell) as Socket
      stream.on('error', () => {}) // another listener reports the first error
      return stream
    } catch (error) {
      if (this.connecting) throw error
      return closedSocket()
    }
  }
}

function closedSocket (): Socket {
  return new Socket().destroy()
}
