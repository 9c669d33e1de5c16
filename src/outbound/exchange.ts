/**
 * One request and its answer, on one connection.
 *
 * Promises an answer or a failure by the deadline, which runs from the start of
 * the request to the END of its answer. It is the only clock: no other timeout
 * ends a request. If the answer is not complete, the connection loses its
 * socket, so that a server that hangs holds no resource of ours.
 *
 * Sends a request once. It goes out on a new connection only if a kept one turns
 * out to be closed before any byte of the request was written.
 *
 * Follows no redirect, drops 1xx answers and trailers, reads at most 16 kB.
 */
import { setMaxListeners } from 'node:events'
import type { Dispatcher } from 'undici'
import { excerptOf } from './excerpt.js'
import { failureText } from './failure.js'
import type { Awaited, Connection } from './connection.js'
import type { Pool } from './pool.js'

/** Maximum bytes that are read of an answer's body; then the connection is closed and the answer is used as it is. */
export const MAX_ANSWER_BYTES = 16 * 1024

/** Answers that end with their headers, even if these announce a body (RFC 9112 §6.3). */
const WITHOUT_BODY = [204, 304]

/** Why the time was not enough, as far as we know. */
const STILL_AWAITED: Readonly<Record<Awaited, string>> = {
  name: ': the name was not resolved',
  connection: ': no connection was made',
  handshake: ': the TLS handshake did not end',
  nothing: ''
}

/** The answer, or the failure in its place. */
export type Answer = CompleteAnswer | LostAnswer | AbortedRequest

export interface CompleteAnswer {
  /** 200–999 as received. */
  status: number
  /** The header as received; absent if there was none. */
  retryAfter?: string
  /** See `excerptOf`. */
  excerpt: string | null
  /** From the start of the request to the end of the answer, milliseconds. */
  latencyMs: number
}

/** No complete answer arrived. */
export interface LostAnswer {
  failure: 'timeout' | 'connection'
  /** A code such as `ECONNREFUSED` or a short sentence, safe to log. */
  error: string
  latencyMs: number
}

/** We gave up ourselves; this is not the fault of the other side. */
export interface AbortedRequest {
  failure: 'aborted'
  error: string
  latencyMs: number
}

export interface Exchange {
  path: string
  headers: Readonly<Record<string, string>>
  body: Buffer
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Texts to mask in the excerpt, see `excerptOf`. */
  secrets: readonly string[]
}

/** A request in flight. */
export interface RunningRequest {
  /** Never rejects. */
  answer: Promise<Answer>
  /** Ends the request as `aborted`; does nothing after its end. */
  abort (): void
}

/**
 * Sends a POST at once.
 *
 * @param pool  gives the connection
 * @param what  the request; `timeoutMs` starts now
 */
export function exchange (pool: Pool, what: Exchange): RunningRequest {
  const { promise, resolve } = unsettled<Answer>()
  const sending = new Sending(pool, what, resolve)
  sending.start()
  return { answer: promise, abort: sending.abort }
}

function unsettled<T> (): { promise: Promise<T>, resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(_resolve => { resolve = _resolve })
  return { promise, resolve }
}

class Sending implements Dispatcher.DispatchHandler {
  readonly #startedAt = performance.now()
  readonly #chunks: Buffer[] = []
  #connection: Connection
  #begun = false
  #bytes = 0
  #status: number | null = null
  #retryAfter: string | undefined
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor (
    readonly pool: Pool,
    readonly what: Exchange,
    readonly resolve: (answer: Answer) => void
  ) {
    this.#connection = pool.take()
  }

  start (): void {
    const { timeoutMs, signal } = this.what
    this.#timer = setTimeout(this.#onTimeout, timeoutMs)
    if (signal !== undefined) {
      // One signal may end every request of a worker: many listeners are not a leak.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', this.abort)
    }
    this.#dispatch()
  }

  #dispatch (): void {
    const { path, headers, body } = this.what
    this.#connection.client.dispatch({ method: 'POST', path, headers, body }, this)
  }

  onRequestStart (): void {
    this.#begun = true
    this.#connection.begin()
  }

  onResponseStart (_: Dispatcher.DispatchController, status: number, headers: Dispatcher.ResponseData['headers']): void {
    if (status < 200) return
    this.#status = status
    const retryAfter = headers['retry-after']
    this.#retryAfter = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter
    // undici would wait for the announced body, or take it for the next answer.
    if (WITHOUT_BODY.includes(status) && announcesBody(headers)) this.#answered('drop')
  }

  onResponseData (_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#ended) return
    // A copy: undici's buffer is as large as the socket's.
    this.#chunks.push(Buffer.from(chunk.subarray(0, MAX_ANSWER_BYTES - this.#bytes)))
    this.#bytes += chunk.length
    if (this.#bytes > MAX_ANSWER_BYTES) this.#answered('drop')
  }

  onResponseEnd (): void {
    this.#answered(this.#connection.hasSentAll ? 'keep' : 'drop')
  }

  onResponseError (_: Dispatcher.DispatchController, error: Error): void {
    if (this.#ended) return
    if (!this.#begun && this.#connection.kept) {
      this.#connection.drop()
      this.#connection = this.pool.takeNew()
      this.#dispatch()
      return
    }
    const kept = this.#connection.kept && this.#status === null ? ', on a kept connection' : ''
    this.#failed('connection', failureText(error) + kept)
  }

  #onTimeout = (): void => {
    this.#failed('timeout', `no complete answer within ${this.what.timeoutMs} ms${STILL_AWAITED[this.#connection.awaits]}`)
  }

  abort = (): void => { this.#failed('aborted', 'cut off') }

  #answered (socket: 'keep' | 'drop'): void {
    this.#end(socket, latencyMs => ({
      status: this.#status!,
      ...(this.#retryAfter === undefined ? {} : { retryAfter: this.#retryAfter }),
      excerpt: excerptOf(Buffer.concat(this.#chunks), this.what.secrets),
      latencyMs
    }))
  }

  #failed (failure: LostAnswer['failure'] | AbortedRequest['failure'], error: string): void {
    const seen = this.#status === null ? '' : `, after status ${this.#status}`
    this.#end('drop', latencyMs => ({ failure, error: error + seen, latencyMs }))
  }

  /** Only the first end counts; later ones are caused by our own closing. */
  #end (socket: 'keep' | 'drop', answerAt: (latencyMs: number) => Answer): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    this.what.signal?.removeEventListener('abort', this.abort)
    if (socket === 'keep') this.pool.giveBack(this.#connection)
    else this.#connection.drop()
    this.resolve(answerAt(Math.round(performance.now() - this.#startedAt)))
  }
}

function announcesBody ({ 'content-length': length, 'transfer-encoding': coding }: Dispatcher.ResponseData['headers']): boolean {
  return coding !== undefined || (length !== undefined && length !== '0')
}
