/**
 * How the driver opens a connection, with three differences.
 *
 * A second error of the same socket is nobody's surprise. The driver listens to
 * the first only. TLS can have two: a certificate is refused, and then the
 * other side says that it was hung up on. The second, unheard, would end the
 * process (ioredis pull request 962).
 *
 * And whoever hangs up before there is a socket gets one that is closed. The
 * driver would take an error for the end, also when it hung up only to dial
 * anew, as on a failover while the sentinels are asked: the client would never
 * connect again. After a close it does what it was told: it dials, or ends.
 *
 * And one behind a latch dials when that is lifted; until then it is connecting.
 */
import { createConnection, Socket, type NetConnectOpts } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { AbstractConnector, SentinelConnector, type Redis, type RedisOptions } from 'ioredis'
import type { Latch, LatchWait } from './latch.js'

/** Opens one to an address. */
export class Connector extends AbstractConnector {
  readonly #options: RedisOptions
  #wait: LatchWait | null = null

  /** @param options  RedisOptions; the driver's own type of a connector says no more */
  constructor (options: unknown, private readonly latch: Latch | null = null) {
    super((options as RedisOptions).disconnectTimeout!)
    this.#options = options as RedisOptions
  }

  override async connect (): Promise<Socket> {
    this.connecting = true
    this.#wait = this.latch?.wait() ?? null
    await this.#wait?.over
    await new Promise(resolve => { process.nextTick(resolve) })
    if (!this.connecting) return closedSocket()
    const { path, host, port, family, tls } = this.#options
    const place = path !== undefined ? { path } : { host, port, family }
    const stream = tls === undefined
      ? createConnection(place as NetConnectOpts)
      : connectTls({ ...place, ...tls } as ConnectionOptions)
    stream.once('error', error => { this.firstError = error })
    stream.on('error', () => {}) // any further one
    this.stream = stream
    return stream
  }

  override disconnect (): void {
    super.disconnect()
    this.#wait?.giveUp()
  }
}

type Dial = (endpoint: object, options?: object) => Redis

/** Asks sentinels for the address first. */
export class ConnectorBySentinel extends SentinelConnector {
  #wait: LatchWait | null = null

  constructor (options: unknown, private readonly latch: Latch | null = null) {
    super(options as ConstructorParameters<typeof SentinelConnector>[0])
    const driver = this as unknown as { connectToSentinel: Dial }
    const dial = driver.connectToSentinel.bind(this)
    driver.connectToSentinel = (endpoint, more) => dial(endpoint, { Connector, ...more })
  }

  override async connect (tell: Parameters<SentinelConnector['connect']>[0]): Promise<Socket> {
    this.connecting = true
    this.#wait = this.latch?.wait() ?? null
    await this.#wait?.over
    if (!this.connecting) return closedSocket()
    try {
      const stream = await super.connect(tell) as Socket
      stream.on('error', () => {}) // the first one is told elsewhere
      return stream
    } catch (error) {
      if (this.connecting) throw error
      return closedSocket()
    }
  }

  override disconnect (): void {
    super.disconnect()
    this.#wait?.giveUp()
  }
}

/** The two, behind a latch, as the driver wants them: a copy of a client is behind the same. */
export function connectorsWith (latch: Latch): { Connector: typeof Connector, ConnectorBySentinel: typeof ConnectorBySentinel } {
  return {
    Connector: class extends Connector { constructor (options: unknown) { super(options, latch) } },
    ConnectorBySentinel: class extends ConnectorBySentinel { constructor (options: unknown) { super(options, latch) } }
  }
}

function closedSocket (): Socket {
  return new Socket().destroy()
}
