/**
 * One connection to a subscriber: an undici `Client`, so one socket at a time,
 * which carries one request at a time.
 *
 * Knows what the client does not report: the state of its socket, whether it has
 * carried an answer before, and its age. A caller that gives up on a request can
 * close exactly its socket, even while it is connecting. (undici's own `Pool`
 * cannot promise that: after an abort it connects again at once, to the host
 * that hangs.)
 */
import { isIP, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Client, type buildConnector } from 'undici'
import { leaveOutInterim } from './interim.js'

/** What a connection waits for before it can carry a request; `nothing` if it can. */
export type Awaited = 'name' | 'connection' | 'handshake' | 'nothing'

/** How long one socket is used, milliseconds. A name that resolves to another address is followed after this time. */
export const MAX_CONNECTION_AGE_MS = 60_000

/** Made only by a `Pool`. Opens a socket when its client is first used, and again after it has lost it. */
export class Connection {
  readonly client: Client
  #socket: Socket | undefined
  #awaits: Awaited = 'name'
  #connectedAt = 0
  #kept = false
  #expectAnswer = (): void => {}

  /**
   * @param origin     `http://host:port`
   * @param connector  opens the sockets
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

  /** Whether the whole request is written. A server that answers earlier may never read the rest, nor a request that follows it. */
  get hasSentAll (): boolean { return this.#socket === undefined || this.#socket.writableLength === 0 }

  /** Called when a request begins to go out. */
  begin (): void { this.#expectAnswer() }

  /**
   * Called after an answer.
   *
   * @returns whether its socket is young enough for another request
   */
  keep (): boolean {
    this.#kept = true
    return this.clock() - this.#connectedAt < MAX_CONNECTION_AGE_MS
  }

  /** Closes the connection at once and for good, connected or not. Never throws. */
  close (): void {
    this.client.destroy(() => {})
    // The client does not know a socket that is still connecting; the error clears its timer.
    this.#socket?.destroy(new Error('the request was given up'))
  }

  /**
   * Like `close`, during a request. A plain socket is reset: otherwise the kernel would offer
   * the rest of the request for minutes to a server that does not read.
   */
  drop (): void {
    const socket = this.#socket
    // The `destroy` of `close` makes it an immediate reset, whatever is unsent. TLS has no reset.
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
      .once('connect', () => { if (this.#awaits !== 'nothing') this.#awaits = 'handshake' })
      .once('close', () => { if (this.#socket === socket) this.#socket = undefined })
  }

  #open (socket: Socket): void {
    this.#awaits = 'nothing'
    this.#connectedAt = this.clock()
    this.#expectAnswer = leaveOutInterim(socket)
  }
}
