/**
 * A real HTTP server that plays an internal service, and remembers what it was
 * sent. Tests wait for deliveries, never for time.
 */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { KeyPair } from './certificates.js'
import { until } from './until.js'

export interface Received {
  headers: IncomingHttpHeaders
  body: Buffer
  /** Epoch milliseconds at which the whole request had arrived. */
  at: number
}

/** Answers one request; the body has been read. */
export type Behaviour = (response: ServerResponse, received: Received, request: IncomingMessage) => void

const HERE = '127.0.0.1'

export const answers = {
  ok: ((response) => { response.writeHead(204).end() }) as Behaviour,
  status: (status: number, headers: Record<string, string> = {}): Behaviour =>
    response => { response.writeHead(status, headers).end('no') },
  /** Accepts the request and never answers. */
  hang: (() => {}) as Behaviour
}

export interface TestSubscriber {
  url: string
  received: Received[]
  /** Changes what happens from the next request on. */
  behave (behaviour: Behaviour): void
  /** Resolves when at least `count` requests have arrived. */
  waitFor (count: number): Promise<Received[]>
  /** Resolves when what was received satisfies `condition`. */
  waitUntil (condition: (received: Received[]) => boolean): Promise<Received[]>
  /** Closes its port and every connection. */
  leave (): Promise<void>
  /** Listens again on its port, at the address where it was unless told another. */
  comeBack (address?: string): Promise<void>
  /** Where it listens, or did. */
  address (): string
  /** Closes every connection, and has another certificate for the next; only for one that has TLS. */
  present (pair: KeyPair): void
  close (): Promise<void>
}

/** @param tls  what an https server presents; without it, it is http */
export async function startSubscriber (behaviour: Behaviour = answers.ok, tls?: KeyPair): Promise<TestSubscriber> {
  const received: Received[] = []
  let current = behaviour
  let address = HERE
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(chunks), at: Date.now() }
      received.push(one)
      current(response, one, request)
    })
  }
  const server: Server | SecureServer = tls === undefined ? createServer(onRequest) : createSecureServer(tls, onRequest)
  await listen(server, address, 0)
  const { port } = server.address() as AddressInfo

  async function waitUntil (condition: (received: Received[]) => boolean): Promise<Received[]> {
    await until(`${condition.toString()} of what came`, () => condition(received))
    return received
  }

  return {
    url: `${tls === undefined ? 'http' : 'https'}://${HERE}:${port}/hooks/fotor`,
    received,
    behave (next) { current = next },
    async waitFor (count) {
      await until(`${count} requests`, () => received.length >= count)
      return received
    },
    waitUntil,
    leave,
    async comeBack (at = address) {
      address = at
      // Somebody's connection may have been given this port meanwhile: until it is over.
      await until('its port is free', async () => await listen(server, at, port).then(() => true, () => false))
    },
    address: () => address,
    present (pair) {
      (server as SecureServer).setSecureContext(pair)
      server.closeAllConnections()
    },
    async close () { if (server.listening) await leave() }
  }

  async function leave (): Promise<void> {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
}

async function listen (server: Server | SecureServer, host: string, port: number): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
}

/** The ids of the events among what was received, one entry per request. */
export function idsOf (received: readonly Received[]): string[] {
  return received.map(({ headers }) => String(headers['webhook-id']))
}
