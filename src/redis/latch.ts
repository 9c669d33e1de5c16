/**
 * Keeps connections from being opened before Redis has been checked.
 *
 * A latch is lifted once and stays so. Who waits for it may give up at any
 * time, and is forgotten then: a latch that is never lifted keeps nothing.
 */
export class Latch {
  #isLifted = false
  readonly #waiting = new Set<() => void>()

  isLifted (): boolean { return this.#isLifted }

  /** Lets everybody through, now and from now on. Idempotent. */
  lift (): void {
    this.#isLifted = true
    for (const letThrough of this.#waiting) letThrough()
    this.#waiting.clear()
  }

  /** @returns `over` resolves when it is lifted, or with `giveUp`; never rejects */
  wait (): LatchWait {
    if (this.#isLifted) return { over: Promise.resolve(), giveUp () {} }
    let letThrough = (): void => {}
    const over = new Promise<void>(resolve => { letThrough = resolve })
    this.#waiting.add(letThrough)
    return {
      over,
      giveUp: () => {
        this.#waiting.delete(letThrough)
        letThrough()
      }
    }
  }
}

export interface LatchWait {
  over: Promise<void>
  giveUp: () => void
}
