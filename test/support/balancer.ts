/**
 * A load balancer in front of gateways, as strict as one can be: it sends to a
 * gateway whose `/readyz` said 200 when it last probed, in turn, and never
 * tries a second one. Whatever goes wrong on the way is the caller's trouble.
 */
import { once } from 'node:events'
import { Agent, createServer as createHttpServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { TestGateway } from './gateway.js'

/** Between two probes of a gateway, milliseconds. */
const PROBE_EVERY_MS = 100

/**
 * `requests` are balanced one by one, over connections to the gateways that are
 * kept open, and what fails is a 502. `connections` are balanced when they are
 * opened and passed on as they are: who keeps one keeps its gateway.
 */
export type Balanced = 'requests' | 'connections'

export interface Balancer {
  /** The public endpoint, through it. */
  url: string
  /** Gateways that were ready at the last probe. */
  ready (): readonly TestGateway[]
  /** Everything that went wrong on the way. */
  troubles: string[]
  close (): Promise<void>
}

/** Says where the next goes; `undefined` when nobody is ready. */
type Choose = () => TestGateway | undefined
type Trouble = (what: string) => void

/**
 * Starts it.
 *
 * @param gateways  asked at each probe; after a restart it is another one
 */
export async function startBalancer (balanced: Balanced, gateways: () => readonly TestGateway[]): Promise<Balancer> {
  const troubles: string[] = []
  let ready: TestGateway[] = []
  let turns = 0

  const closing = new AbortController()

  async function probe (): Promise<void> {
    const probed = await Promise.all(gateways().map(async gateway => await isReady(gateway, closing.signal) ? gateway : null))
    ready = probed.filter(gateway => gateway !== null)
  }

  async function keepProbing (): Promise<void> {
    while (!closing.signal.aborted) {
      await wait(PROBE_EVERY_MS)
      await probe()
    }
  }

  await probe()
  const probing = keepProbing()
  const choose: Choose = () => ready[turns++ % Math.max(1, ready.length)]
  const trouble: Trouble = what => { troubles.push(what) }
  const { server, end } = balanced === 'requests' ? requestBalancer(choose, trouble) : connectionBalancer(choose, trouble)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/fotor`,
    ready: () => ready,
    troubles,
    async close () {
      closing.abort()
      await probing
      server.close()
      end()
      await once(server, 'close')
    }
  }
}

function requestBalancer (choose: Choose, trouble: Trouble): { server: Server, end: () => void } {
  const agent = new Agent({ keepAlive: true })

  function fail (response: ServerResponse, what: string): void {
    trouble(what)
    if (response.headersSent) response.destroy()
    else response.writeHead(502, { 'content-type': 'application/json' }).end('{"status":"bad gateway"}')
  }

  function pass (request: IncomingMessage, response: ServerResponse): void {
    const gateway = choose()
    if (gateway === undefined) return fail(response, 'nobody is ready')
    const { method, headers: { connection: _, ...headers } } = request
    const onward = ask(gateway.ingestUrl, { method, headers, agent }, answer => {
      const { connection: _, 'keep-alive': __, ...passed } = answer.headers
      response.writeHead(answer.statusCode!, passed)
      answer.pipe(response)
      answer.on('error', (error: Error) => { fail(response, error.message) })
    })
    onward.on('error', (error: Error) => { fail(response, `${error.message}${onward.reusedSocket ? ', on a connection that was kept' : ''}`) })
    request.pipe(onward)
  }

  const server = createHttpServer(pass)
  return { server, end () { server.closeAllConnections(); agent.destroy() } }
}

function connectionBalancer (choose: Choose, trouble: Trouble): { server: Server, end: () => void } {
  const open = new Set<Socket>()
  const server = createTcpServer(socket => {
    const gateway = choose()
    if (gateway === undefined) {
      trouble('nobody is ready')
      socket.destroy()
      return
    }
    const { hostname, port } = new URL(gateway.ingestUrl)
    const onward = connect(Number(port), hostname)
    for (const [one, other] of [[socket, onward], [onward, socket]] as const) {
      open.add(one)
      one.on('error', (error: Error) => { trouble(error.message) })
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  return { server, end () { for (const socket of open) socket.destroy() } }
}

/** However long its answer takes: a machine that stands still makes nobody unready. */
async function isReady ({ adminUrl }: TestGateway, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${adminUrl}/readyz`, { signal })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}
