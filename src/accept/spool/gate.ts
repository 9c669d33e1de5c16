/**
 * Whether a callback may go to Redis now, so that only the first few find out
 * that it is away by waiting for it.
 *
 *            one failed                a probe got through
 *   open ──────────────────▶ shut ──────────────────────────▶ ajar
 *    ▲                        ▲                                │
 *    │  one was accepted      └──── the one failed ◀───────────┤
 *    └─────────────────────────────────────────────────────────┘
 *
 * Shut, nobody enters and Redis is asked in the background; ajar, one at a
 * time. What an entrant tells counts only for the time in which it entered.
 * Knows nothing of callbacks or of the spool.
 */
import { createPause } from './pause.js'

/** Between the starts of two probes, milliseconds. */
const PROBE_EVERY_MS = 500

/** Held by whoever entered; exactly one of its words must be said. */
export interface Pass {
  /** It entered alone, to try. */
  readonly isTrial: boolean
  /** Redis did what it was asked. */
  worked (): void
  /** Redis did not. */
  failed (reason: string): void
  /** Nothing can be told from what came of it. */
  unclear (): void
}

export type GateState = 'open' | 'ajar' | 'shut'

export interface GateOptions {
  /** Rejects unless Redis takes writes; settles within about a second. */
  probe: () => Promise<unknown>
  /** Whether somebody waits who will try by himself; if not, a probe that got through opens. */
  hasWaiting: () => boolean
  /** Told of each change, once it is made. */
  onChange: (state: GateState, reason: string) => void
}

/** Begins open. */
export class Gate {
  #state: GateState = 'open'
  /** One more with each change. */
  #era = 0
  #isTrying = false
  #isProbing = false
  #isClosed = false
  readonly #pause = createPause()

  constructor (private readonly options: GateOptions) {}

  state (): GateState { return this.#state }

  /** `null` when Redis is not to be asked now. */
  enter (): Pass | null {
    if (this.#state === 'open') return this.#passOf(false)
    if (this.#state === 'shut' || this.#isTrying) return null
    this.#isTrying = true
    return this.#passOf(true)
  }

  /** Asks Redis, and shuts when it does not answer well. @returns whether it did */
  async check (): Promise<boolean> {
    const era = this.#era
    try {
      await this.options.probe()
      return true
    } catch (error) {
      if (era === this.#era) this.#change('shut', reasonOf(error))
      return false
    }
  }

  /** Lets nobody in until a probe got through. */
  shut (reason: string): void { this.#change('shut', reason) }

  /** There is a sign that Redis is back: asks it at once. */
  probeNow (): void { this.#pause.end() }

  /** Asks no more. Idempotent. */
  close (): void {
    this.#isClosed = true
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
      worked: () => { tell(() => { this.#change('open') }) },
      failed: reason => { tell(() => { this.#change('shut', reason) }) },
      unclear: () => { tell(() => {}) }
    }
  }

  #change (to: GateState, reason = ''): void {
    if (this.#state === to) return
    this.#state = to
    this.#era++
    this.#isTrying = false
    this.options.onChange(to, reason)
    if (to === 'shut' && !this.#isProbing) void this.#keepProbing()
  }

  /** Until it is open again: whoever tries may find Redis gone once more. */
  async #keepProbing (): Promise<void> {
    this.#isProbing = true
    while (this.#state !== 'open' && !this.#isClosed) {
      const over = this.#pause.take(PROBE_EVERY_MS)
      if (await this.check()) this.#gotThrough()
      await over
    }
    this.#isProbing = false
  }

  #gotThrough (): void {
    const to = this.options.hasWaiting() ? 'ajar' : 'open'
    if (this.#state === 'shut' || (to === 'open' && !this.#isTrying)) this.#change(to)
  }
}

function reasonOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
