/**
 * Subscribers for tests: real HTTP servers on a free port of 127.0.0.1, well
 * behaved or not. Each is closed with its test.
 */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { maskUrl, type Subscriber } from '../../src/model/subscriber.js'

/** The part of a test that closes things. */
export interface Closing { teardown: (close: () => unknown) => void }

export interface Received {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** The client's port: tells connections apart. */
  from: number
}

export interface TestServer {
  /** `http://127.0.0.1:<port>` */
  url: string
  port: number
  /** Complete requests, in order of arrival. */
  received: Received[]
  /** How many connections were ever made. */
  connections (): number
  /** Resolves when no connection is open. */
  quiet (): Promise<void>
}

type Answering = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

/** An HTTP subscriber; answers 204 unless told otherwise. With `tls` an HTTPS one. */
export async function startHttp (t: Closing, answer: Answering = (_, response) => { response.writeHead(204).end() }, tls?: ServerOptions): Promise<TestServer> {
  const received: Received[] = []
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const { method = '', url = '', headers } = request
      received.push({ method, url, headers, body, from: request.socket.remotePort! })
      answer(request, response, body)
    })
    request.on('error', () => {})
    response.on('error', () => {})
  }
  const server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener)
  return await listen(t, server, { received, scheme: tls === undefined ? 'http' : 'https' })
}

/** A server that is handed raw sockets, to misbehave as it likes; with `tls` after their handshake. */
export async function startRaw (t: Closing, onSocket: (socket: Socket) => void, tls?: ServerOptions): Promise<TestServer> {
  const listener = (socket: Socket): void => {
    socket.on('error', () => {})
    onSocket(socket)
    if (!socket.isPaused()) socket.resume() // or it would not notice that the client left
  }
  if (tls === undefined) return await listen(t, createNetServer(listener), { received: [], scheme: 'http' })
  const server = createTlsServer(tls, listener)
  server.on('tlsClientError', () => {})
  return await listen(t, server, { received: [], scheme: 'https' })
}

/** Calls back with the head of each request that has arrived on a raw socket. */
export function onHead (socket: Socket, then: (head: string) => void): void {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    if (!text.includes('\r\n\r\n')) return
    const head = text
    text = ''
    then(head)
  })
}

async function listen (t: Closing, server: Server, { received, scheme }: { received: Received[], scheme: string }): Promise<TestServer> {
  const open = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => { open.delete(socket); server.emit('gone') })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    received,
    connections: () => connections,
    async quiet () {
      // Who does not read does not notice that the client left.
      for (const socket of open) socket.resume()
      while (open.size > 0) await once(server, 'gone')
    }
  }
}

/** A subscriber as configuration would make it, with short times. */
export function subscriberAt (url: string, changes: Partial<Subscriber> = {}): Subscriber {
  return {
    name: 'billing',
    url,
    shownUrl: maskUrl(url),
    match: { types: [], statuses: [], businessIds: [] },
    headers: {},
    secrets: [],
    rateLimit: null,
    breaker: null,
    concurrency: 4,
    timeoutMs: 5_000,
    retry: { kind: 'backoff', attempts: 3, initialMs: 1_000, factor: 3, maxMs: 60_000, jitter: 0 },
    maxAgeMs: 3_600_000,
    throttleMaxMs: 60_000,
    maxBacklog: null,
    tls: null,
    enabled: true,
    ...changes
  }
}
