/**
 * Step 2 of the journey, for when Redis is away: what cannot be accepted now
 * is kept on the local disk, and accepted later.
 *
 *   arrival ──▶ breaker ──▶ accept ──▶ (accepted | duplicate | unreadable)
 *                 │             │ unavailable, or no answer in time
 *                 └─────────────┴──▶ stock ──▶ spooled            ⋯▶ drain ──▶ accept
 *
 * Answers "spooled" only when the callback is on the disk. The first few
 * callbacks of an outage wait for Redis, about a second; the others do not. A
 * callback may be both accepted and spooled: then the second is a duplicate.
 */
import type { Report } from '../../model/fact.js'
import type { RedisClient } from '../../redis/script.js'
import { repeat } from '../../time/repeat.js'
import type { Accept } from '../arrival.js'
import { acceptOrKeep, inTime } from './accept-or-keep.js'
import { DiskTrouble } from './disk.js'
import { createDrain } from './drain.js'
import { RedisBreaker } from './breaker.js'
import { createOutage } from './outage.js'
import { createOwnership } from './ownership.js'
import { createSetAside } from './set-aside.js'
import { Stock, type SpoolSize } from './stock.js'

/** How often is looked for what dead owners left, milliseconds. */
const TICK_EVERY_MS = 10_000

export interface SpoolingOptions {
  /** The way to Redis; never rejects. */
  accept: Accept
  /** The connection that `accept` uses: fails fast. It is tried for what waits once it is there. */
  redis: RedisClient
  /** Rejects when Redis would not take a callback now. */
  probe: () => Promise<void>
  /** `spool.dir`, absolute. */
  dir: string
  maxBytes: number
  /** Top-level fields that do not count as content; asked at every arrival. */
  ignoreFields: () => readonly string[]
  /** How long an answer of Redis is awaited, milliseconds; 1 s when left out. */
  answerWithinMs?: number | undefined
  report: Report
}

export interface SpoolStatus extends SpoolSize {
  maxBytes: number
  /** Callbacks go to the disk now. */
  isSpooling: boolean
  /** Why a callback would not be kept now; `null` when it would, as far as is known. Anybody may read it. */
  problem: string | null
  /** Files that nobody can accept; an operator has to look at them. */
  setAside: number
}

export interface Spooling {
  /** The way in that every callback takes. Never rejects. */
  accept: Accept
  status (): SpoolStatus
  /** Tries the disk, and says what `status` says then. Never rejects. */
  tryDisk (): Promise<SpoolStatus>
  /** Whether Redis must not be called now. */
  isRedisAway (): boolean
  /** Redis is away at the start: nobody shall wait for it before a probe has succeeded. */
  beginAway (): void
  /** Keeps no more callbacks; what lies there stays. Idempotent; never rejects. */
  close (): Promise<void>
}

/** Opens the spool and begins to drain what lies there. Never rejects: a disk that does not work is told, and tried again. */
export async function openSpooling (options: SpoolingOptions): Promise<Spooling> {
  const { redis, dir, report } = options
  const trouble = new DiskTrouble(report)
  const setAside = createSetAside(dir)
  const stock = new Stock({ ...options, ownership: createOwnership(dir), trouble })
  const outage = createOutage(report, () => stock.size())
  const breaker = new RedisBreaker({
    probe: options.probe,
    hasWaiting: () => stock.hasAny(),
    onChange (state, reason) {
      outage.change(state, reason)
      if (state !== 'open') drain.wake()
    }
  })
  const accept = inTime(options.accept, options.answerWithinMs)
  const drain = createDrain({ ...options, accept, stock, setAside, breaker, trouble })
  const drainIfReady = (): void => { if (redis.status === 'ready' && stock.hasAny()) drain.wake() }
  const onReady = (): void => {
    breaker.probeNow()
    drainIfReady()
  }
  redis.on('ready', onReady)
  const stopTicking = await keepTicking({ stock, trouble, report, onTick: drainIfReady })

  const status = (): SpoolStatus => ({
    ...stock.size(),
    maxBytes: options.maxBytes,
    isSpooling: breaker.state() !== 'closed',
    problem: stock.problem(),
    setAside: setAside.count()
  })
  return {
    accept: acceptOrKeep({ ...options, accept, breaker, stock, onKept: drain.wake }),
    status,
    async tryDisk () {
      await stock.tryDisk()
      return status()
    },
    isRedisAway: () => breaker.state() === 'open',
    beginAway () { breaker.open('Redis was away at the start') },
    async close () {
      redis.off('ready', onReady)
      breaker.stop()
      await stopTicking()
      await drain.stop()
      await stock.close()
      tellLeft(stock.size(), report)
    }
  }
}

interface Ticking { stock: Stock, trouble: DiskTrouble, report: Report, onTick: () => void }

/** Looks now, and again and again, for what dead owners left, and whether a disk that failed works again. @returns how to stop it */
async function keepTicking ({ stock, trouble, report, onTick }: Ticking): Promise<() => Promise<void>> {
  async function tick (): Promise<void> {
    const { callbacks, bytes } = await stock.takeOver()
    if (callbacks > 0) report({ fact: 'spool.found', callbacks, bytes })
    if (trouble.now() !== null) await stock.tryDisk()
    onTick()
  }

  await tick()
  return repeat(tick, { everyMs: () => TICK_EVERY_MS, failed: () => {} }).stop
}

function tellLeft ({ callbacks, bytes }: SpoolSize, report: Report): void {
  if (callbacks > 0) report({ fact: 'spool.left', callbacks, bytes })
}
