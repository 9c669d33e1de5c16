/**
 * The gateway's connections to Redis.
 *
 * They begin to connect at once, or when a latch is lifted, and never give up:
 * a Redis that is away at the start, restarts, fails over or is cut off is used
 * again within about a second of coming back. Each change of state is reported
 * once, not once per try. Nothing here decides what an outage means; the
 * callers do.
 */
import { RelayError } from '../model/errors.js'
import type { Report } from '../model/fact.js'
import { isNotReachable } from '../model/redis-away.js'
import type { RedisClient } from './script.js'
import { createClient, type ClientRole } from './client.js'
import { endClient } from './end-client.js'
import { followFailovers } from './follow-failover.js'
import type { Latch } from './latch.js'
import { describeTarget, type RedisTarget } from './target.js'

export type { RedisClient } from './script.js'
export type { RedisTarget } from './target.js'

export interface Connections {
  /** For reading, and what answers somebody: a command fails within about a second when Redis is away. */
  readonly failFast: RedisClient
  /**
   * For what is acknowledged. Where replicas have to confirm that, it is a connection of its own, which fails as fast:
   * a wait for them keeps whatever comes after it on its connection. Else it is `failFast`.
   */
  readonly accepting: RedisClient
  /** For the queue and for recording attempts: a command waits until Redis is back. */
  readonly blocking: RedisClient
  /** A connection of its own for `subscribe`; closed with the others. */
  pubSub (): RedisClient
  /** One that waits for no latch and fails fast; closed with the others, unless `end` ends it before. */
  checking (): RedisClient
  /** Ends one of them. */
  end (client: RedisClient): Promise<void>
  /** Ends every connection within a fraction of a second; what still waits on one is rejected. Idempotent. */
  close (): Promise<void>
}

/** What `waitUntilReady` tells of a client besides its state. */
interface ConnectionStory { address: string, lastError: string | null }
const stories = new WeakMap<RedisClient, ConnectionStory>()

export interface ConnectOptions {
  target: RedisTarget
  report: Report
  /** Whether replicas have to confirm what is acknowledged. */
  isConfirmed?: boolean
  /** Until it is lifted nothing is opened but what checks Redis; left out, all is at once. */
  latch?: Latch | null
}

/**
 * Opens the connections without waiting for them (see `waitUntilReady`).
 *
 * @throws RelayError CONFIG_INVALID for an address that cannot be read; never because Redis is away
 */
export function connectRedis ({ target, report, isConfirmed = false, latch = null }: ConnectOptions): Connections {
  const address = describeTarget(target)
  const clients = new Set<RedisClient>()

  function open (role: ClientRole, behind = latch): RedisClient {
    const client = createClient(target, role, behind)
    const story: ConnectionStory = { address, lastError: null }
    stories.set(client, story)
    reportState(client, story, (state, detail) => {
      if (clients.has(client)) report({ fact: 'redis.state', role, state, detail })
    })
    clients.add(client)
    return client
  }

  async function end (client: RedisClient): Promise<void> {
    clients.delete(client)
    await endClient(client)
  }

  const unfollow = target.kind === 'sentinel'
    ? followFailovers(target, () => { for (const client of clients) client.disconnect(true) })
    : () => {}
  const failFast = open('fail-fast')
  const blocking = open('blocking')

  return {
    failFast,
    accepting: isConfirmed ? open('accepting') : failFast,
    blocking,
    pubSub: () => open('pub-sub'),
    checking: () => open('checking', null),
    end,
    async close () {
      unfollow()
      await Promise.all([...clients].map(end))
    }
  }
}

type Tell = (state: 'ready' | 'lost', detail: string) => void

/** Tells when a client becomes ready and when it is lost, each once per change. */
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
  client.on('connect', () => {
    if (story.lastError !== null && isNotReachable(story.lastError)) story.lastError = null
  })
  client.on('close', () => { change('lost') })
  client.on('ready', () => {
    change('ready')
    story.lastError = null
  })
}

/** The cause that a cluster client hides behind its own words. */
function reasonOf (error: Error & { lastNodeError?: Error | null }): string {
  const { message } = error.lastNodeError ?? error
  return message === '' ? error.name : message
}

/**
 * Waits until a client of `connectRedis` can be used.
 *
 * @param timeoutMs  how long, milliseconds; less when the client is ended meanwhile
 * @throws RelayError REDIS_UNAVAILABLE naming the address, the last error and what to do
 */
export async function waitUntilReady (client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') return
  let onReady = (): void => {}
  let onEnd = (): void => {}
  let timer: NodeJS.Timeout | undefined
  const ready = await new Promise<boolean>(resolve => {
    onReady = () => { resolve(true) }
    onEnd = () => { resolve(false) }
    client.once('ready', onReady).once('end', onEnd)
    timer = setTimeout(onEnd, timeoutMs)
  })
  clearTimeout(timer)
  client.off('ready', onReady).off('end', onEnd)
  if (!ready) throw unavailable(client, { timeoutMs })
}

/** Says that a client was of no use within a time, why, and what to do. */
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
