/**
 * A real HTTP server that plays an internal service, and remembers what it was
 * sent. Tests wait for deliveries, never for time.
 */
import { once, EventEmitter } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  headers: IncomingHttpHeaders
  body: Buffer
  /** Epoch milliseconds at which the whole request had arrived. */
  at: number
}

/** Answers one request; the body has been read. */
export type Behaviour = (response: ServerResponse, received: Received, request: IncomingMessage) => void

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
  close (): Promise<void>
}

export async function startSubscriber (behaviour: Behaviour = answers.ok): Promise<TestSubscriber> {
  const received: Received[] = []
  const arrivals = new EventEmitter().setMaxListeners(0)
  let current = behaviour
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(chunks), at: Date.now() }
      received.push(one)
      current(response, one, request)
      arrivals.emit('arrival')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function waitUntil (condition: (received: Received[]) => boolean): Promise<Received[]> {
    while (!condition(received)) await once(arrivals, 'arrival')
    return received
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/fotor`,
    received,
    behave (next) { current = next },
    waitFor: async count => await waitUntil(() => received.length >= count),
    waitUntil,
    async close () {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }
  }
}

/** The ids of the events among what was received, one entry per request. */
export function idsOf (received: readonly Received[]): string[] {
  return received.map(({ headers }) => String(headers['webhook-id']))
}
