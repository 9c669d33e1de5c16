/**
 * A wait that can be ended early, by whoever knows that it is over.
 */
export interface Pause {
  /** Resolves after so many milliseconds, or with `end`. One at a time. */
  take (ms: number): Promise<void>
  /** Ends the wait under way; nothing happens when there is none. */
  end (): void
}

/** Makes a pause that nobody takes yet. */
export function createPause (): Pause {
  let end = (): void => {}
  return {
    take: async ms => await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      end = () => {
        clearTimeout(timer)
        resolve()
      }
    }),
    end () { end() }
  }
}
