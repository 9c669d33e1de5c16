/**
 * The circuit breaker between callbacks and Redis: only the first few callbacks
 * wait for a Redis that is away.
 *
 *             a call failed              a probe succeeded
 *   closed ──────────────────▶ open ───────────────────────▶ half-open
 *    ▲                          ▲                                │
 *    │  a call succeeded        └──── the call failed ◀──────────┤
 *    └───────────────────────────────────────────────────────────┘
 *
 * Open: no call is allowed, and Redis is probed in the background. Half-open:
 * one call at a time is allowed. The result of a call counts only if the state
 * has not changed since the call began. Knows nothing of callbacks or of the
 * spool.
 */
import { createPause } from './pause.js'

/** Between the starts of two probes, milliseconds. */
const PROBE_EVERY_MS = 500

/** Permission for one call; exactly one of its methods must be called. */
export interface Pass {
  /** The only call that is allowed now: its result decides. */
  readonly isTrial: boolean
  /** Redis succeeded. */
  worked (): void
  /** Redis failed. */
  failed (reason: string): void
  /** The result says nothing about Redis. */
  unclear (): void
}

export type RedisBreakerState = 'closed' | 'half-open' | 'open'

export interface RedisBreakerOptions {
  /** Rejects unless Redis accepts writes; settles within about a second. */
  probe: () => Promise<unknown>
  /** Whether callbacks wait that will be tried soon; if none does, a successful probe closes the breaker. */
  hasWaiting: () => boolean
  /** Called after each change of state. */
  onChange: (state: RedisBreakerState, reason: string) => void
}

/** Begins closed. */
export class RedisBreaker {
  #state: RedisBreakerState = 'closed'
  /** Counts the changes of state. */
  #era = 0
  #isTrying = false
  #isProbing = false
  #isStopped = false
  readonly #pause = createPause()

  constructor (private readonly options: RedisBreakerOptions) {}

  state (): RedisBreakerState { return this.#state }

  /** @returns `null` if Redis must not be called now */
  enter (): Pass | null {
    if (this.#state === 'closed') return this.#passOf(false)
    if (this.#state === 'open' || this.#isTrying) return null
    this.#isTrying = true
    return this.#passOf(true)
  }

  /** Probes Redis, and opens if the probe fails. @returns whether it succeeded */
  async check (): Promise<boolean> {
    const era = this.#era
    try {
      await this.options.probe()
      return true
    } catch (error) {
      if (era === this.#era) this.#change('open', reasonOf(error))
      return false
    }
  }

  /** Allows no call until a probe has succeeded. */
  open (reason: string): void { this.#change('open', reason) }

  /** Redis may be back: probes it at once. */
  probeNow (): void { this.#pause.end() }

  /** Stops probing. Idempotent. */
  stop (): void {
    this.#isStopped = true
    this.#pause.end()
  }

  #passOf (isTrial: boolean): Pass {
    const era = this.#era
    const tell = (news: () => void): void => {
      if (era !== this.#era) return
      if (isTrial) this.#isTrying = false
      news()
    }
    return {
      isTrial,
      worked: () => { tell(() => { this.#change('closed') }) },
      failed: reason => { tell(() => { this.#change('open', reason) }) },
      unclear: () => { tell(() => {}) }
    }
  }

  #change (to: RedisBreakerState, reason = ''): void {
    if (this.#state === to) return
    this.#state = to
    this.#era++
    this.#isTrying = false
    this.options.onChange(to, reason)
    if (to === 'open' && !this.#isProbing) void this.#keepProbing()
  }

  /** Until it is closed again: Redis may fail again while the breaker is half-open. */
  async #keepProbing (): Promise<void> {
    this.#isProbing = true
    while (this.#state !== 'closed' && !this.#isStopped) {
      const over = this.#pause.take(PROBE_EVERY_MS)
      if (await this.check()) this.#probeSucceeded()
      await over
    }
    this.#isProbing = false
  }

  #probeSucceeded (): void {
    const to = this.options.hasWaiting() ? 'half-open' : 'closed'
    if (this.#state === 'open' || (to === 'closed' && !this.#isTrying)) this.#change(to)
  }
}

function reasonOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
