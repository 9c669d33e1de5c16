/**
 * HTTP as bytes on a socket, for what `fetch` would mend or refuse to send:
 * odd methods, odd paths, headers twice, none, or broken.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

export interface WireRequest {
  method?: string
  /** As it stands on the request line. */
  target?: string
  /** Lines without their end; `host`, `content-length` and `connection: close` are added. */
  headers?: readonly string[]
  body?: string | Buffer
  /** Sent in chunks, without `content-length`. */
  chunked?: boolean
}

export interface WireAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: string
  /** The body as JSON; `null` when it is none. */
  json: Record<string, unknown> | null
  /** Everything that came back. */
  text: string
}

/** The bytes of a request. */
export function requestBytes ({ method = 'POST', target = '/', headers = [], body = '', chunked = false }: WireRequest): Buffer {
  const bytes = Buffer.from(body)
  const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${bytes.length}`
  const head = [`${method} ${target} HTTP/1.1`, 'host: localhost', 'connection: close', length, ...headers, '', ''].join('\r\n')
  const content = chunked ? [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')] : [bytes]
  return Buffer.concat([Buffer.from(head), ...content])
}

/**
 * Sends bytes and reads until the other side closes.
 *
 * @param base  `http://host:port`, whatever follows
 */
export async function sendBytes (base: string, bytes: Buffer | string): Promise<WireAnswer> {
  const { hostname, port } = new URL(base)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  const over = new Promise<void>(resolve => {
    for (const event of ['end', 'close', 'error']) socket.once(event, () => { resolve() })
  })
  await once(socket, 'connect')
  socket.write(bytes)
  await over
  socket.destroy()
  return read(Buffer.concat(chunks).toString('utf8'))
}

/** Sends a request of its own connection. */
export async function send (base: string, request: WireRequest): Promise<WireAnswer> {
  return await sendBytes(base, requestBytes(request))
}

function read (text: string): WireAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [start = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
  const body = rest.join('\r\n\r\n')
  return { status: Number(start.split(' ')[1] ?? 0), headers, body, json: parsed(body), text }
}

function parsed (body: string): WireAnswer['json'] {
  try { return JSON.parse(body) as WireAnswer['json'] } catch { return null }
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort (): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
