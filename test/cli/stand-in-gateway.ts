/**
 * A small HTTP server that answers in the admin API's shapes, and remembers
 * what it was asked.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from '../support/tap.js'

export interface Asked {
  /** `GET /api/v1/events?limit=1`. */
  line: string
  authorization: string | undefined
  contentType: string | undefined
  idempotencyKey: string | undefined
  text: string
  /** Parsed, `undefined` when there was none. */
  body: unknown
}

export interface Reply {
  status?: number
  body: unknown
  headers?: Record<string, string>
  /** The connection is cut instead. */
  isLost?: true
}

/** By `METHOD /path` without the query; a list is used up one by one, its last entry for ever. */
export type Replies = Record<string, Reply | Reply[] | (() => Reply)>

export interface StandIn {
  url: string
  asked: Asked[]
  /** Flags that point a command at it. */
  flags: string[]
  env: Record<string, string>
}

export const TOKEN = 'a-token-that-is-never-shown'

/** Starts it for one test. */
export async function standIn (t: Test, replies: Replies): Promise<StandIn> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void read(request).then(text => {
      const line = `${request.method} ${request.url}`
      asked.push({
        line,
        text,
        authorization: request.headers.authorization,
        contentType: request.headers['content-type'],
        idempotencyKey: request.headers['idempotency-key'] as string | undefined,
        body: text === '' ? undefined : JSON.parse(text) as unknown
      })
      const { status = 200, body, headers = {}, isLost = false } = replyTo(replies, line.split('?')[0]!)
      if (isLost) {
        request.socket.destroy()
        return
      }
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, asked, flags: ['--url', url], env: { RELAY_ADMIN_TOKEN: TOKEN } }
}

function replyTo (replies: Replies, line: string): Reply {
  const found = replies[line]
  if (found === undefined) return { status: 404, body: { title: 'Not Found', status: 404, detail: 'There is nothing here.' } }
  if (typeof found === 'function') return found()
  if (!Array.isArray(found)) return found
  return found.length > 1 ? found.shift()! : found[0]!
}

async function read (request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString('utf8')
  return text
}

/** A problem, as the gateway writes it. */
export function problem (status: number, detail: string, members: object = {}): Reply {
  return { status, body: { ...members, type: 'about:blank', title: 'Problem', status, detail }, headers: { 'content-type': 'application/problem+json' } }
}
