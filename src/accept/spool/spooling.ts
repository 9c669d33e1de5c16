/**
 * Step 2 of the journey, for when Redis is away: a callback that cannot be
 * accepted now is kept on the local disk, and accepted later.
 *
 *   arrival ──▶ breaker ──▶ accept ──▶ (accepted | duplicate | unreadable)
 *                 │             │ unavailable, or no answer in time
 *                 └─────────────┴──▶ stock ──▶ spooled            ⋯▶ drain ──▶ accept
 *
 * Answers "spooled" only when the callback is on the disk. The first few
 * callbacks of an outage wait for Redis, about a second; later ones do not. A
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

/** How often to look for files of dead owners, milliseconds. */
const TICK_EVERY_MS = 10_000

export interface SpoolingOptions {
  /** Accepts into Redis; never rejects. */
  accept: Accept
  /** A fail-fast connection. */
  redis: RedisClient
  /** Rejects if Redis would not accept a callback now. */
  probe: () => Promise<void>
  /** Must succeed before Redis is used; `null` if it has succeeded. Rejects with a reason for the log. */
  verify: (() => Promise<void>) | null
  /** `spool.dir`, absolute. */
  dir: string
  maxBytes: number
  /** Top-level fields that do not count as content; read for every arrival. */
  ignoreFields: () => readonly string[]
  /** Maximum wait for an answer of Redis, milliseconds; default 1 s. */
  answerWithinMs?: number | undefined
  report: Report
}

export interface SpoolStatus extends SpoolSize {
  maxBytes: number
  /** Callbacks go to the disk now. */
  isSpooling: boolean
  /** Why a callback would not be kept now; `null` if it would, as far as is known. Safe to show. */
  problem: string | null
  /** Number of files that cannot be accepted; an operator must inspect them. */
  setAside: number
}

export interface Spooling {
  /** The entry for every callback. Never rejects. */
  accept: Accept
  status (): SpoolStatus
  /** Tries the disk, and returns the new status. Never rejects. */
  tryDisk (): Promise<SpoolStatus>
  /** Whether Redis must not be called now. */
  isRedisAway (): boolean
  /** Stops keeping callbacks; kept ones stay. Idempotent; never rejects. */
  close (): Promise<void>
}

/** Opens the spool and begins to drain it. Never rejects: a disk that does not work is reported, and tried again. */
export async function openSpooling (options: SpoolingOptions): Promise<Spooling> {
  const { redis, dir, report } = options
  const trouble = new DiskTrouble(report)
  const setAside = createSetAside(dir)
  const stock = new Stock({ ...options, ownership: createOwnership(dir), trouble })
  const outage = createOutage(report, () => stock.size())
  const breaker = new RedisBreaker({
    probe: verifiedProbe(options),
    hasWaiting: () => stock.hasAny(),
    onChange (state, reason) {
      outage.change(state, reason)
      if (state !== 'open') drain.wake()
    }
  })
  const accept = inTime(options.accept, options.answerWithinMs)
  const drain = createDrain({ ...options, accept, stock, setAside, breaker, trouble })
  const onReady = (): void => { breaker.probeNow() }
  redis.on('ready', onReady)
  if (options.verify !== null) breaker.open('Redis was away at the start')
  const stopTicking = await keepTicking({ stock, trouble, report, onFound: drain.wake })

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

/** A Redis that was away at the start is checked before anything else is sent to it. */
function verifiedProbe ({ probe, verify }: SpoolingOptions): () => Promise<void> {
  let isVerified = verify === null
  return async () => {
    if (!isVerified) await verify!()
    isVerified = true
    await probe()
  }
}

interface Ticking { stock: Stock, trouble: DiskTrouble, report: Report, onFound: () => void }

/** Looks now and regularly for files of dead owners, and tries a failed disk again. @returns a function that stops it */
async function keepTicking ({ stock, trouble, report, onFound }: Ticking): Promise<() => Promise<void>> {
  async function tick (): Promise<void> {
    const { callbacks, bytes } = await stock.takeOver()
    if (callbacks > 0) report({ fact: 'spool.found', callbacks, bytes })
    if (trouble.now() !== null) await stock.tryDisk()
    if (stock.hasAny()) onFound()
  }

  await tick()
  return repeat(tick, { everyMs: () => TICK_EVERY_MS, failed: () => {} }).stop
}

function tellLeft ({ callbacks, bytes }: SpoolSize, report: Report): void {
  if (callbacks > 0) report({ fact: 'spool.left', callbacks, bytes })
}
