/**
 * The demo's subscriber: it does with a delivery what an internal service does.
 * It checks the signature itself, as Standard Webhooks says, and reports each
 * delivery.
 *
 * Runs for the demo only.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

/** One delivery, as the subscriber sees it. */
export interface Received {
  /** The `webhook-id`. */
  id: string
  taskId: string
  /** From the body; `?` if it cannot be read. */
  type: string
  /** From 1, over all attempts. */
  attempt: number
  body: Buffer
  /** Whether the signature is valid. */
  trust: 'good' | 'signed by somebody else' | 'signed too long ago'
}

export interface DemoSubscriberOptions {
  /** The address to which the configuration sends deliveries. */
  url: URL
  /** `whsec_…`. */
  secrets: readonly string[]
  onReceived: (received: Received) => void
}

/** Larger than any body that the gateway accepts. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
/** How far `webhook-timestamp` may differ from this clock; the same as in the libraries of Standard Webhooks. */
const TOLERANCE_SECONDS = 300

/**
 * Starts it.
 *
 * @returns a function that stops it
 * @throws  errors of `listen`: EADDRINUSE if the port is in use
 */
export async function startDemoSubscriber ({ url, secrets, onReceived }: DemoSubscriberOptions): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    readBody(request).then(body => {
      const received = describe(request.headers, body, secrets)
      onReceived(received)
      response.writeHead(received.trust === 'good' ? 204 : 401).end()
    }).catch(() => { response.destroy() })
  })
  server.listen(Number(url.port === '' ? 80 : url.port), url.hostname.replace(/^\[|\]$/g, ''))
  await once(server, 'listening')
  return async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}

async function readBody (request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error('the body is larger than any that the gateway accepts')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function describe (headers: IncomingHttpHeaders, body: Buffer, secrets: readonly string[]): Received {
  const text = (name: string): string => String(headers[name] ?? '')
  return {
    id: text('webhook-id'),
    taskId: decodeURIComponent(text('relay-task-id')),
    type: typeIn(body),
    attempt: Number(text('relay-attempt')),
    body,
    trust: judge({ id: text('webhook-id'), timestamp: text('webhook-timestamp'), signatures: text('webhook-signature'), body }, secrets)
  }
}

interface Signed { id: string, timestamp: string, signatures: string, body: Buffer }

function judge ({ id, timestamp, signatures, body }: Signed, secrets: readonly string[]): Received['trust'] {
  const expected = secrets.map(secret => signatureOf(`${id}.${timestamp}.`, body, secret))
  const isOurs = signatures.split(' ').some(given => expected.some(wanted => isSame(given, wanted)))
  if (!isOurs) return 'signed by somebody else'
  return Math.abs(Date.now() / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS ? 'good' : 'signed too long ago'
}

/** `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`. */
function signatureOf (start: string, body: Buffer, secret: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  return 'v1,' + createHmac('sha256', key).update(start).update(body).digest('base64')
}

function isSame (given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function typeIn (body: Buffer): string {
  try { return String((JSON.parse(body.toString('utf8')) as { type?: unknown }).type) } catch { return '?' }
}
