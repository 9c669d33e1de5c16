/**
 * The public endpoint for a test: the real app, with everything it hands on
 * written down. Callers are on 127.0.0.1, so a test that needs another address
 * names it in X-Forwarded-For (127.0.0.1 is a trusted proxy here) or injects.
 */
import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { Test } from '../support/tap.js'
import type { Acceptance, Arrival } from '../../src/accept/arrival.js'
import type { RefusedCallback } from '../../src/accept/refused.js'
import type { Fact } from '../../src/model/fact.js'
import { ingestApp } from '../../src/ingest/app.js'
import type { IngestOptions } from '../../src/ingest/options.js'
import type { IngestPolicy } from '../../src/ingest/policy.js'

export const SENDER = '54.212.95.175'
export const STRANGER = '203.0.113.9'
export const PATH = '/webhooks/fotor'
export const CALLBACK = '{"taskId":"t1","status":1,"type":"avatar"}'

export const POLICY: IngestPolicy = {
  path: PATH,
  allowFrom: [SENDER, '127.0.0.1'],
  allowlist: 'enforce',
  trustedProxies: [],
  maxBodyBytes: 1024,
  rateLimit: { max: 1_000, perMs: 60_000, store: 'local' }
}

export interface Endpoint {
  app: FastifyInstance
  facts: Fact[]
  arrivals: Arrival[]
  refused: RefusedCallback[]
  /** What the endpoint goes by; replace it to reload. */
  policy: IngestPolicy
  /** What `accept` says next. */
  acceptance: Acceptance
}

export function createEndpoint (policy: Partial<IngestPolicy> = {}, options: Partial<IngestOptions> = {}): Endpoint {
  const endpoint: Omit<Endpoint, 'app'> = {
    facts: [],
    arrivals: [],
    refused: [],
    policy: { ...POLICY, ...policy },
    acceptance: { kind: 'accepted', eventId: 'evt_1' }
  }
  const app = ingestApp({
    policy: () => endpoint.policy,
    accept: async arrival => {
      endpoint.arrivals.push(arrival)
      return endpoint.acceptance
    },
    quarantine: refused => { endpoint.refused.push(refused) },
    report: fact => { endpoint.facts.push(fact) },
    ...options
  })
  return Object.assign(endpoint, { app })
}

/** Listens on a free port of 127.0.0.1 until the test ends. @returns the port */
export async function listen (t: Test, app: FastifyInstance): Promise<number> {
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** A raw connection: what it has received, and when it was closed. */
export interface Wire {
  socket: Socket
  /** Everything received so far. */
  text (): string
  send (text: string | Buffer): void
  /** When the other side has closed the connection, with all it sent. */
  closed: Promise<string>
  /** When what was received fits. */
  received (pattern: RegExp): Promise<string>
}

export async function openWire (t: Test, port: number): Promise<Wire> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  t.teardown(() => { socket.destroy() })
  let text = ''
  socket.on('data', chunk => { text += chunk.toString('latin1') })
  const closed = new Promise<string>(resolve => {
    socket.once('error', () => { resolve(text) })
    socket.once('end', () => { resolve(text) })
    socket.once('close', () => { resolve(text) })
  })
  await once(socket, 'connect')
  return {
    socket,
    text: () => text,
    send (data) { if (socket.writable) socket.write(data) },
    closed,
    async received (pattern) {
      while (!pattern.test(text)) await once(socket, 'data')
      return text
    }
  }
}

/** Head of a POST to the path of the callbacks. */
export function head (headers: string[] = []): string {
  return [`POST ${PATH} HTTP/1.1`, 'host: relay', ...headers, '', ''].join('\r\n')
}

/** A whole POST. */
export function post (body: string, headers: string[] = []): string {
  return head([`content-length: ${Buffer.byteLength(body)}`, ...headers]) + body
}
