/**
 * The gateway's connections to Redis.
 *
 * They begin to connect at once and never give up: a Redis that was away at the
 * start, has restarted, failed over or was cut off is used again within about a
 * second after it is back. Each change of state is reported once, not once per
 * try. The callers decide what an outage means.
 */
import { RelayError } from '../model/errors.js'
import type { Report } from '../model/fact.js'
import type { RedisClient } from './script.js'
import { createClient, type ClientRole } from './client.js'
import { endClient } from './end-client.js'
import { followFailovers } from './follow-failover.js'
import { describeTarget, type RedisTarget } from './target.js'

export type { RedisClient } from './script.js'
export type { RedisTarget } from './target.js'

export interface Connections {
  /** For accepting and reading: a command fails within about a second if Redis is away. */
  readonly failFast: RedisClient
  /** For the queue and for recording attempts: a command waits until Redis is back. */
  readonly blocking: RedisClient
  /** A separate connection for `subscribe`; closed with the others. */
  pubSub (): RedisClient
  /** Ends every connection within a fraction of a second; commands that still wait are rejected. Idempotent. */
  close (): Promise<void>
}

/** What `waitUntilReady` knows about a client besides its state. */
interface ConnectionStory { address: string, lastError: string | null }
const stories = new WeakMap<RedisClient, ConnectionStory>()

/**
 * Opens the connections without waiting for them (see `waitUntilReady`).
 *
 * @throws RelayError CONFIG_INVALID for an invalid address; never because Redis is away
 */
export function connectRedis ({ target, report }: { target: RedisTarget, report: Report }): Connections {
  const address = describeTarget(target)
  const clients: RedisClient[] = []
  let closed = false

  function open (role: ClientRole): RedisClient {
    const client = createClient(target, role)
    const story: ConnectionStory = { address, lastError: null }
    stories.set(client, story)
    reportState(client, story, (state, detail) => {
      if (!closed) report({ fact: 'redis.state', role, state, detail })
    })
    clients.push(client)
    return client
  }

  const unfollow = target.kind === 'sentinel'
    ? followFailovers(target, () => { for (const client of clients) client.disconnect(true) })
    : () => {}
  const failFast = open('fail-fast')
  const blocking = open('blocking')

  return {
    failFast,
    blocking,
    pubSub: () => open('pub-sub'),
    async close () {
      closed = true
      unfollow()
      await Promise.all(clients.map(endClient))
    }
  }
}

type Tell = (state: 'ready' | 'lost', detail: string) => void

/** Reports when a client becomes ready and when it is lost, each once per change. */
function reportState (client: RedisClient, story: ConnectionStory, tell: Tell): void {
  let state: 'ready' | 'lost' | null = null
  const change = (to: 'ready' | 'lost'): void => {
    if (state === to) return
    state = to
    tell(to, to === 'lost' && story.lastError !== null ? `${story.address}: ${story.lastError}` : story.address)
  }
  client.on('error', (error: Error) => {
    story.lastError = reasonOf(error)
    if (state === null) change('lost')
  })
  client.on('close', () => { change('lost') })
  client.on('ready', () => {
    change('ready')
    story.lastError = null
  })
}

/** The cause that a cluster client hides behind its own message. */
function reasonOf (error: Error & { lastNodeError?: Error | null }): string {
  const { message } = error.lastNodeError ?? error
  return message === '' ? error.name : message
}

/**
 * Waits until a client of `connectRedis` can be used.
 *
 * @param timeoutMs  maximum wait, milliseconds
 * @throws RelayError REDIS_UNAVAILABLE naming the address, the last error and what to do
 */
export async function waitUntilReady (client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') return
  let onReady = (): void => {}
  let timer: NodeJS.Timeout | undefined
  const ready = await new Promise<boolean>(resolve => {
    onReady = () => { resolve(true) }
    client.once('ready', onReady)
    timer = setTimeout(() => { resolve(false) }, timeoutMs)
  })
  clearTimeout(timer)
  client.off('ready', onReady)
  if (!ready) throw unavailable(client, { timeoutMs })
}

/** The error of a client that was not ready in time, with the reason and what to do. */
export function unavailable (client: RedisClient, { timeoutMs, error = null }: { timeoutMs: number, error?: string | null }): RelayError {
  const story = stories.get(client) ?? { address: 'its address', lastError: null }
  const { address } = story
  const lastError = error ?? story.lastError
  const why = lastError === null ? '' : ` (${lastError})`
  return new RelayError('REDIS_UNAVAILABLE',
    `Redis at ${address} was not ready within ${timeoutMs} ms${why}: ${advice(lastError ?? '')}`,
    { address, lastError, timeoutMs })
}

function advice (error: string): string {
  if (/WRONGPASS|NOAUTH|NOPERM|\bAUTH\b/.test(error)) return 'check redis.username and redis.password'
  if (/certificate|\bTLS\b|\bSSL\b|self.signed|altname/i.test(error)) return 'check redis.tls and that the address is the encrypted one'
  return 'start it, or correct the address in the redis section of the configuration'
}
