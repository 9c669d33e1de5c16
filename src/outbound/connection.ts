/**
 * One connection to a subscriber: an undici `Client`, hence one socket at a
 * time, that carries one request at a time.
 *
 * Knows what the client does not tell: how far its socket has come, whether it
 * has carried an answer before, how old it is. Whoever gives up on a request
 * can close exactly its socket, be it still connecting. (undici's own `Pool`
 * cannot promise that: after an abort it connects again at once, to the very
 * host that hangs.)
 */
import { isIP, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Client, type buildConnector } from 'undici'
import { leaveOutInterim } from './interim.js'

/** What a connection waits for before it can carry a request; `nothing` when it can. */
export type Awaited = 'name' | 'connection' | 'handshake' | 'nothing'

/** How long one socket is used: a name that resolves elsewhere is followed after this, milliseconds. */
export const MAX_CONNECTION_AGE_MS = 60_000

/** Made by a `Pool` alone; opens a socket when its client is first used, and again when it has lost it. */
export class Connection {
  readonly client: Client
  #socket: Socket | undefined
  #awaits: Awaited = 'name'
  #connectedAt = 0
  #kept = false
  #expectAnswer = (): void => {}

  /**
   * @param origin     `http://host:port`
   * @param connector  makes the connections
   * @param clock      milliseconds
   */
  constructor (origin: string, readonly connector: buildConnector.connector, readonly clock: () => number) {
    this.client = new Client(origin, {
      connect: (options, callback) => { this.#connect(options, callback) },
      // The deadline of the request is the only clock (see exchange.ts).
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveMaxTimeout: MAX_CONNECTION_AGE_MS
    })
  }

  get awaits (): Awaited { return this.#awaits }

  /** Whether its socket has carried an answer before: the other side may have closed it since. */
  get kept (): boolean { return this.#kept }

  /** Whether the request is out. Who answers before may never read the rest, nor what would come after it. */
  get hasSentAll (): boolean { return this.#socket === undefined || this.#socket.writableLength === 0 }

  /** To be called when a request begins to go out. */
  begin (): void { this.#expectAnswer() }

  /**
   * To be called after an answer.
   *
   * @returns whether its socket is young enough for another request
   */
  keep (): boolean {
    this.#kept = true
    return this.clock() - this.#connectedAt < MAX_CONNECTION_AGE_MS
  }

  /** Closes it at once and for good, made or not. Never throws. */
  close (): void {
    this.client.destroy(() => {})
    // The client does not know a socket that is still connecting; the error clears its timer.
    this.#socket?.destroy(new Error('the request was given up'))
  }

  /**
   * As `close`, with a request under way. A plain socket is reset: the kernel would go on
   * for minutes to offer the rest of the request to somebody who does not read.
   */
  drop (): void {
    const socket = this.#socket
    // The `destroy` of `close` makes it a reset at once, whatever is still to be sent. TLS has no such thing.
    if (this.#awaits === 'nothing' && !(socket instanceof TLSSocket)) socket?.resetAndDestroy()
    this.close()
  }

  #connect (options: buildConnector.Options, callback: buildConnector.Callback): void {
    this.#kept = false
    this.#awaits = isIP(options.hostname) === 0 ? 'name' : 'connection'
    const made: unknown = this.connector(options, (...result) => {
      const [error, socket] = result
      if (error === null) this.#open(socket)
      callback(...result)
    })
    const socket = made as Socket
    this.#socket = socket
      .once('lookup', () => { this.#awaits = 'connection' })
      .once('connect', () => { if (this.#awaits === 'connection') this.#awaits = 'handshake' })
      .once('close', () => { if (this.#socket === socket) this.#socket = undefined })
  }

  #open (socket: Socket): void {
    this.#awaits = 'nothing'
    this.#connectedAt = this.clock()
    this.#expectAnswer = leaveOutInterim(socket)
  }
}
